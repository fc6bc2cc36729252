/** How a secret is generated on a host, stored as a credential there and read again. No value is in an argument, and none in a file that lasts but the credential. */
import { scriptCommand } from '../core/command.ts'
import type { Command, Stdin } from '../core/host.ts'
import type { HostTraits } from '../facts/host-trait.ts'
import { MADE_FUNCTION } from '../facts/made-record.ts'
import { credentialPaths } from './credential.ts'

/**
 * How a secret is generated: `api-key` is `tp_` and 32 random bytes (base64url); `token` 48 bytes base64url; `password` 24 bytes base64url;
 * `bytes32-base64` 32 bytes base64; `p256-pem` a P-256 private key; `ed25519-pem` an Ed25519 one.
 */
export type SecretKind = 'api-key' | 'token' | 'password' | 'bytes32-base64' | 'p256-pem' | 'ed25519-pem'

function urlSafe(bytes: number): string {
  return `head -c ${bytes} /dev/urandom | base64 -w0 | tr '+/' '-_' | tr -d '='`
}

const GENERATORS: Readonly<Record<SecretKind, string>> = {
  'api-key': `printf tp_; ${urlSafe(32)}`,
  token: urlSafe(48),
  password: urlSafe(24),
  'bytes32-base64': 'head -c 32 /dev/urandom | base64 -w0',
  'p256-pem': 'openssl ecparam -genkey -name prime256v1 -noout',
  'ed25519-pem': 'openssl genpkey -algorithm ed25519',
}

/**
 * `$1` is the id, `$2` the path, `$3` the credential store, `$4` the folder of the marker or empty. The value stands in memory only, in a
 * file of a tmpfs that has no name any more before anything is in it: SIGKILL at any point leaves nothing. What a killed run of an earlier
 * release has left goes away.
 */
function storeScript(valueScript: string): string {
  return `umask 077; rm -rf -- /run/tappass-secret.*; f=$(mktemp /run/tappass-secret.XXXXXX); exec 3>"$f" 4<"$f"; rm -f -- "$f"
{ ${valueScript}; } >&3; exec 3>&-; [ -s /proc/self/fd/4 ]
case "\${2%/*}" in *tappass*) ;; *) [ -d "\${2%/*}" ] || { ${MADE_FUNCTION}; made path "\${2%/*}"; } ;; esac
mkdir -p -m 0700 -- "\${2%/*}/"
if [ -n "$4" ]; then mkdir -p -m 0700 -- "$4"; : >"$4/$1"; sync -- "$4/$1" "$4/"; fi
t="\${2%/*}/.$1.tappass-new"; rm -f -- "$t"
if [ "$3" = encrypted ]; then systemd-creds encrypt --with-key=host --name="$1" - "$t" <&4; else cat <&4 >"$t"; fi
chmod 0600 -- "$t"; sync -- "$t"; mv -fT -- "$t" "$2"; sync -- "\${2%/*}/"`
}

type Store = HostTraits['credentialStore']

/** Where a credential is stored on a host of that kind. */
export function storedPath(store: Store, id: string): string {
  const [encrypted, plain] = credentialPaths(id)
  return store === 'encrypted' ? encrypted : plain
}

/** Returns the script that prints the value of the credential `id`; all words in it are ours. */
export function valueScript(store: Store, id: string): string {
  const path = storedPath(store, id)
  return store === 'encrypted' ? `systemd-creds decrypt --name=${id} ${path} -` : `cat -- ${path}`
}

/**
 * Prints the value of `id`, and after it the lines of `earlierId` that are others: a run that is repeated adds none. A value that can't be read ends it before anything is
 * stored. All comparing is done by the shell itself: no value is in an argument.
 */
function earlierScript(store: Store, id: string, earlierId: string): string {
  return `current=$(${valueScript(store, id)}); [ -n "$current" ]; earlier=
if [ -e ${storedPath(store, earlierId)} ]; then earlier=$(${valueScript(store, earlierId)}); fi
printf '%s\\n' "$current"; printf '%s\\n' "$earlier" | while read -r line; do case $line in '' | "$current") ;; *) printf '%s\\n' "$line" ;; esac; done`
}

/** What is stored: a generated value, that of another credential, that of another one before those that are stored already, or the one on standard input. */
export type SecretSource = Readonly<
  { generate: SecretKind } | { copyOf: string } | { beforeOthers: string } | { value: Stdin }
>

function sourceScript(store: Store, id: string, source: SecretSource): string {
  if ('generate' in source) return GENERATORS[source.generate]
  if ('copyOf' in source) return valueScript(store, source.copyOf)
  return 'beforeOthers' in source ? earlierScript(store, source.beforeOthers, id) : 'cat'
}

/** Returns the command that stores a secret, whole or not at all. With `markerFolder` it leaves a marker there, before the value is in force. */
export function storeCommand(store: Store, id: string, source: SecretSource, markerFolder = ''): Command {
  const script = sourceScript(store, id, source)
  const args = [id, storedPath(store, id), store, markerFolder]
  return 'value' in source
    ? { ...scriptCommand(storeScript(script), args, source.value), isSecret: true }
    : scriptCommand(storeScript(script), args)
}
