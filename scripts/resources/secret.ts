/** A secret kept on the host as an encrypted systemd credential, made there or handed in by the operator. */

import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { changeByScript } from '../core/command.ts'
import { refusal } from '../core/failure.ts'
import type { Fact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { type PathState, pathFact } from '../facts/path.ts'
import { ownershipCommands, ownershipFaults } from '../files/file-change.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { UNSHOWN_FOLDER } from '../secrets/one-time-secret.ts'

/**
 * How a secret is made: `api-key` is `tp_` and 32 random bytes (base64url); `token` 48 bytes base64url; `password` 24 bytes base64url;
 * `bytes32-base64` 32 bytes base64; `p256-pem` a P-256 private key.
 */
export type SecretKind = 'api-key' | 'token' | 'password' | 'bytes32-base64' | 'p256-pem'

/**
 * `id` is the credential's name. With `make` it is made on the host when it is absent; while one of the `guard`
 * paths exists there (data that need the old value) making it is refused. With `provided` it is the operator's,
 * replaced only when the one on the host differs. `isShownOnce` leaves a marker, so that bootstrap shows the value once.
 */
export type SecretOptions = Readonly<
  { id: string } & (
    | { make: SecretKind; guard?: readonly string[]; isShownOnce?: boolean; provided?: ProvidedSecret | undefined }
    | { make?: never; provided: ProvidedSecret }
  )
>

function urlSafe(bytes: number): string {
  return `head -c ${bytes} /dev/urandom | base64 -w0 | tr '+/' '-_' | tr -d '='`
}

const RECIPES: Readonly<Record<SecretKind, string>> = {
  'api-key': `printf tp_; ${urlSafe(32)}`,
  token: urlSafe(48),
  password: urlSafe(24),
  'bytes32-base64': 'head -c 32 /dev/urandom | base64 -w0',
  'p256-pem': 'openssl ecparam -genkey -name prime256v1 -noout',
}

/** `$1` id, `$2` where it goes, `$3` the store, `$4` a folder for a marker or nothing. `value` prints the secret. */
function storing(value: string): string {
  return `umask 077; d=$(mktemp -d /run/tappass-secret.XXXXXX); trap 'rm -rf "$d"' EXIT
{ ${value}; } >"$d/value"; [ -s "$d/value" ]
mkdir -p -m 0700 -- "\${2%/*}/"
if [ -n "$4" ]; then mkdir -p -m 0700 -- "$4"; : >"$4/$1"; sync -- "$4/$1" "$4/"; fi
t="\${2%/*}/.$1.tappass-new"; rm -f -- "$t"
if [ "$3" = encrypted ]; then systemd-creds encrypt --with-key=host --name="$1" "$d/value" "$t"; else cp -- "$d/value" "$t"; fi
chmod 0600 -- "$t"; sync -- "$t"; mv -fT -- "$t" "$2"; sync -- "\${2%/*}/"`
}

/** Compared on the host; neither value nor digest leaves it. The wanted digest arrives on standard input. */
function isSameFact(id: string, sha256: string): Fact<boolean> {
  const [encrypted, plain] = credentialPaths(id)
  const script = `read -r wanted
if [ -f "$2" ]; then found=$(systemd-creds decrypt --name="$1" "$2" - | sha256sum); elif [ -f "$3" ]; then found=$(sha256sum <"$3"); else exit 1; fi
[ "\${found%% *}" = "$wanted" ] && echo same`
  return {
    ask: { argv: ['sh', '-c', script, 'sh', id, encrypted, plain], effect: 'read', stdin: `${sha256}\n` },
    parse: ({ stdout }) => stdout.trim() === 'same',
  }
}

/** Whether systemd can decrypt it: what another machine's key encrypted would stop every unit at its next start. The value goes nowhere. */
function isReadableFact(id: string, path: string): Fact<boolean> {
  return {
    ask: {
      argv: [
        'sh',
        '-c',
        '[ ! -f "$2" ] || systemd-creds decrypt --name="$1" "$2" - >/dev/null 2>&1 && echo readable',
        'sh',
        id,
        path,
      ],
      effect: 'read',
    },
    parse: ({ stdout }) => stdout.trim() === 'readable',
  }
}

const HOST_KEY = '/var/lib/systemd/credential.secret'

function unreadable(id: string, path: string, isNeeded: boolean) {
  const anew = isNeeded ? `hand it in: --secret ${id}=FILE` : `remove ${path}, and it is made anew`
  const why = `systemd can't read ${path}: it was encrypted with another ${HOST_KEY}`
  return refusal(`the secret ${id} can't be decrypted`, why, `restore ${HOST_KEY}, or ${anew}`)
}

const ROOT_ONLY = { owner: 'root', group: 'root', mode: '0600' } as const

function mending(path: string, state: PathState): readonly Change[] {
  const faults = ownershipFaults(state, ROOT_ONLY)
  if (faults.length === 0) return []
  const commands = ownershipCommands(path, ROOT_ONLY)
  return [{ does: `set owner and mode of ${path}`, because: faults.join('; '), commands }]
}

type Making = Readonly<{ recipe: string; guard: readonly string[]; marker: string }>

function makingOf(options: SecretOptions): Making {
  return options.make === undefined
    ? { recipe: 'cat', guard: [], marker: '' }
    : {
        recipe: RECIPES[options.make],
        guard: options.guard ?? [],
        marker: options.isShownOnce === true ? UNSHOWN_FOLDER : '',
      }
}

/** The credential at /etc/credstore.encrypted/ID, or /etc/credstore/ID where systemd can't encrypt. Throws a refusal where making it would lock data away. */
export function secret(options: SecretOptions): Resource {
  return {
    id: `secret:${options.id}`,
    plan: async (know) => {
      const { id, provided } = options
      const paths = credentialPaths(id)
      const { recipe, guard, marker } = makingOf(options)
      const [traits, encrypted, plain, isReadable, isSame, ...guarded] = await Promise.all([
        know(hostTraitsFact),
        know(pathFact(paths[0])),
        know(pathFact(paths[1])),
        know(isReadableFact(id, paths[0])),
        provided === undefined ? true : know(isSameFact(id, provided.sha256)),
        ...guard.map((path) => know(pathFact(path))),
      ])
      const target = traits.credentialStore === 'encrypted' ? paths[0] : paths[1]
      const state = traits.credentialStore === 'encrypted' ? encrypted : plain
      const isThere = state.kind !== 'absent'
      const needing = guard.find((_, index) => guarded[index]?.kind !== 'absent')
      if (isThere && traits.credentialStore === 'encrypted' && !isReadable && provided === undefined) {
        throw unreadable(id, target, needing !== undefined)
      }
      if (isThere && isSame) return mending(target, state)
      const words = [id, target, traits.credentialStore]
      if (provided !== undefined) {
        const command = changeByScript(storing('cat'), [...words, ''], provided.reveal())
        const because = isThere ? 'the operator handed in another value' : 'it is absent'
        return [{ does: `store the secret ${id}`, because, commands: [command] }]
      }
      if (needing !== undefined) {
        const why = `${needing} was written with it, and a new one would lock these data away`
        throw refusal(`the secret ${id} is missing`, why, `restore ${target}, or hand it in: --secret ${id}=FILE`)
      }
      const command = changeByScript(storing(recipe), [...words, marker])
      return [{ does: `make the secret ${id}`, because: 'it is absent', commands: [command] }]
    },
  }
}
