/** A secret on the host as an encrypted systemd credential, generated there or provided by the operator. */

import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { BatchQuery, Fact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { type PathState, pathFact } from '../facts/path.ts'
import { ownershipCommands, ownershipDifferences } from '../files/file-change.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { ONE_TIME_SECRETS_FOLDER } from '../secrets/one-time-secret.ts'

/**
 * How a secret is generated: `api-key` is `tp_` and 32 random bytes (base64url); `token` 48 bytes base64url; `password` 24 bytes base64url;
 * `bytes32-base64` 32 bytes base64; `p256-pem` a P-256 private key; `ed25519-pem` an Ed25519 one.
 */
export type SecretKind = 'api-key' | 'token' | 'password' | 'bytes32-base64' | 'p256-pem' | 'ed25519-pem'

/**
 * `id` is the credential's name. With `generate` it is generated on the host when it is absent; while one of the `guard` paths exists there
 * (data that need the old value) that is a `Failure`. With `provided` the operator's value is stored, and replaced only when the one on
 * the host differs. `isShownOnce` leaves a marker, so that bootstrap shows the value once.
 */
export type SecretOptions = Readonly<
  { id: string } & (
    | { generate: SecretKind; guard?: readonly string[]; isShownOnce?: boolean; provided?: ProvidedSecret | undefined }
    | { generate?: never; provided: ProvidedSecret }
  )
>

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
mkdir -p -m 0700 -- "\${2%/*}/"
if [ -n "$4" ]; then mkdir -p -m 0700 -- "$4"; : >"$4/$1"; sync -- "$4/$1" "$4/"; fi
t="\${2%/*}/.$1.tappass-new"; rm -f -- "$t"
if [ "$3" = encrypted ]; then systemd-creds encrypt --with-key=host --name="$1" - "$t" <&4; else cat <&4 >"$t"; fi
chmod 0600 -- "$t"; sync -- "$t"; mv -fT -- "$t" "$2"; sync -- "\${2%/*}/"`
}

/** Compares the secret on the host; neither value nor digest leaves it. The expected digest is sent on standard input. */
function isSameFact(id: string, sha256: string): Fact<boolean> {
  const [encrypted, plain] = credentialPaths(id)
  const script = `read -r expected
if [ -f "$2" ]; then found=$(systemd-creds decrypt --name="$1" "$2" - | sha256sum); elif [ -f "$3" ]; then found=$(sha256sum <"$3"); else exit 1; fi
[ "\${found%% *}" = "$expected" ] && echo same`
  return {
    query: { argv: ['sh', '-c', script, 'sh', id, encrypted, plain], effect: 'read', stdin: `${sha256}\n` },
    parse: ({ stdout }) => stdout.trim() === 'same',
  }
}

/** Those that systemd can decrypt, or that are not there; each is named like its file. All at a time: each takes some milliseconds. */
const readableQuery: BatchQuery = {
  query: (paths) => ({
    argv: [
      'sh',
      '-c',
      `for p do { [ ! -f "$p" ] || systemd-creds decrypt --name="\${p##*/}" "$p" - >/dev/null 2>&1 && echo "$p"; } & done; wait`,
      'sh',
      ...paths,
    ],
    effect: 'read',
    isLong: true,
  }),
  split: ({ stdout }) => new Map(stdout.split('\n').map((path) => [path, { code: 0, stdout: path, stderr: '' }])),
}

/** Whether systemd can decrypt the credential: one encrypted with another machine's key would prevent every unit from starting. The value is discarded. */
function isReadableFact(path: string): Fact<boolean> {
  return {
    query: readableQuery.query([path]),
    batchQuery: readableQuery,
    subject: path,
    parse: ({ code }) => code === 0,
  }
}

const HOST_KEY = '/var/lib/systemd/credential.secret'

function unreadable(id: string, path: string, isNeeded: boolean) {
  const replacement = isNeeded
    ? `provide it: tappass bootstrap --secret ${id}=FILE`
    : `remove it, and the next run generates a new one: rm ${path}`
  const why = `${path} was encrypted with another ${HOST_KEY}`
  return refusedFailure(`cannot decrypt the secret ${id}`, why, `restore ${HOST_KEY}, or ${replacement}`)
}

/** The old value would be gone for ever, and with it the meaning of what was written with it. */
function replaced(id: string, dependentPath: string) {
  return refusedFailure(
    `the secret ${id} of this host is another one than the one provided`,
    `${dependentPath} was written with it, and the value on the host would be lost`,
    `leave out --secret ${id}=FILE: the host keeps its own; with an empty host move the data away first: mv ${dependentPath} ${dependentPath}.old`,
  )
}

const ROOT_ONLY = { owner: 'root', group: 'root', mode: '0600' } as const

function repairs(path: string, state: PathState): readonly Change[] {
  const differences = ownershipDifferences(state, ROOT_ONLY)
  if (differences.length === 0) return []
  const commands = ownershipCommands(path, ROOT_ONLY)
  return [{ action: `set owner and mode of ${path}`, reason: differences.join('; '), commands }]
}

type Generation = Readonly<{ valueScript: string; guard: readonly string[]; marker: string }>

function generationOf(options: SecretOptions): Generation {
  return options.generate === undefined
    ? { valueScript: 'cat', guard: [], marker: '' }
    : {
        valueScript: GENERATORS[options.generate],
        guard: options.guard ?? [],
        marker: options.isShownOnce === true ? ONE_TIME_SECRETS_FOLDER : '',
      }
}

/** The credential at /etc/credstore.encrypted/ID, or /etc/credstore/ID where systemd cannot encrypt. Throws a `Failure` (exit 5) when a new value would make data unreadable. */
export function secret(options: SecretOptions): Resource {
  return {
    id: `secret:${options.id}`,
    plan: async (getFact) => {
      const { id, provided } = options
      const paths = credentialPaths(id)
      const { valueScript, guard, marker } = generationOf(options)
      const [traits, encrypted, plain, isReadable, isSame, ...guarded] = await Promise.all([
        getFact(hostTraitsFact),
        getFact(pathFact(paths[0])),
        getFact(pathFact(paths[1])),
        getFact(isReadableFact(paths[0])),
        provided === undefined ? true : getFact(isSameFact(id, provided.sha256)),
        ...guard.map((path) => getFact(pathFact(path))),
      ])
      const target = traits.credentialStore === 'encrypted' ? paths[0] : paths[1]
      const state = traits.credentialStore === 'encrypted' ? encrypted : plain
      const isPresent = state.kind !== 'absent'
      const dependentPath = guard.find((_, index) => guarded[index]?.kind !== 'absent')
      if (isPresent && traits.credentialStore === 'encrypted' && !isReadable && provided === undefined) {
        throw unreadable(id, target, dependentPath !== undefined)
      }
      if (isPresent && isSame) return repairs(target, state)
      const args = [id, target, traits.credentialStore]
      if (provided !== undefined) {
        const command = scriptCommand(storeScript('cat'), [...args, ''], provided.readValue())
        const isReplaced = isPresent && (isReadable || traits.credentialStore === 'plain')
        if (isReplaced && dependentPath !== undefined) throw replaced(id, dependentPath)
        const reason = isPresent ? 'another value was provided' : 'it is absent'
        return [{ action: `store the secret ${id}`, reason, commands: [command] }]
      }
      if (dependentPath !== undefined) {
        const why = `${dependentPath} was written with it and would be unreadable with a new one`
        throw refusedFailure(
          `the secret ${id} is missing`,
          why,
          `restore ${target}, or provide it: tappass bootstrap --secret ${id}=FILE`,
        )
      }
      const command = scriptCommand(storeScript(valueScript), [...args, marker])
      return [{ action: `generate the secret ${id}`, reason: 'it is absent', commands: [command] }]
    },
  }
}
