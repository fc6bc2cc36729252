/**
 * A bare host before it becomes the one that was lost: whether it is bare, and what has to be there before the first run. A note on the host says from which set it
 * is being made, so that a run which was killed is gone on with, and nothing that holds data is ever taken for bare.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { SECRET_IDS } from '../artifacts/artifact-measurement.ts'
import { scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { contentFact, pathFact } from '../facts/path.ts'
import { storeCommand } from '../secrets/credential-store.ts'

/** What a host has that is not bare. */
const TRACES = [
  HOST_PATH.settings,
  HOST_PATH.postgresCluster,
  `${HOST_PATH.spireServerFolder}/keys.json`,
  HOST_PATH.checkpointFolder,
]

/** Returns the set that an earlier run has begun to make this host from; undefined: it is bare. Throws a `Failure` (exit 5) for one that has data of its own. */
export async function foundingSetOf(getFact: GetFact, named: string | undefined): Promise<string | undefined> {
  const [written, ...traces] = await Promise.all([
    getFact(contentFact(HOST_PATH.foundingNote)),
    ...TRACES.map((path) => getFact(pathFact(path))),
  ])
  const begun = written?.trim()
  const at = traces.findIndex(({ kind }) => kind !== 'absent')
  if (begun === undefined && at >= 0)
    throw refusedFailure(
      'this host is not bare',
      `it has ${TRACES[at]}, and what is there would be lost`,
      'a set in place of its database: tappass backup restore SET --host root@server; a bare host instead of it: tappass uninstall --data --host root@server',
    )
  if (begun !== undefined && named !== undefined && begun !== named)
    throw refusedFailure(
      `this host is being made from ${begun}`,
      `an earlier run has begun with it, and ${named} has other secrets`,
      `go on with it: name ${begun}, or none; to begin anew: tappass uninstall --data`,
    )
  return begun
}

/** `$1` is the folder of SPIRE's server, `$2` the note, `$3` the set. The unit gives the files to their account when it starts. */
const SEED = `umask 022; mkdir -p -- "\${1%/*}" "\${2%/*}"; umask 077; chmod 0700 -- "\${2%/*}"; printf '%s\\n' "$3" >"$2"; sync -- "$2"
while read -r name content; do mkdir -p -- "$1"; printf %s "$content" | base64 -d >"$1/$name"; sync -- "$1/$name"; done`

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/

/** What the first run does not bring: the note, SPIRE's data, next values of secrets that were being rotated, and earlier vault keys. */
export async function seedCommands(
  getFact: GetFact,
  { set, spire, secrets }: Readonly<{ set: string } & Record<'spire' | 'secrets', Readonly<Record<string, string>>>>,
): Promise<readonly Command[]> {
  const { credentialStore } = await getFact(hostTraitsFact)
  const files = Object.entries(spire).filter(([name]) => PLAIN_NAME.test(name))
  const lines = files.map(([name, content]) => `${name} ${content}\n`).join('')
  const args = [HOST_PATH.spireServerFolder, HOST_PATH.foundingNote, set]
  const others = Object.entries(secrets).filter(([id]) => !SECRET_IDS.includes(id) && PLAIN_NAME.test(id))
  return [
    { ...scriptCommand(SEED, args, lines), isSecret: true },
    ...others.map(([id, value]) => storeCommand(credentialStore, id, { value })),
  ]
}

/** A database over a slow line. */
const SEND_HOURS = 12

/** Sends a file of a set, of which a part may be there; `open` reads this machine's. It has its name once its bytes are these. */
export function sendSetFileCommand(
  set: string,
  name: string,
  sha256: string,
  open: () => AsyncIterable<Uint8Array>,
): Command {
  const script = `umask 077; mkdir -p -- "$1"; if echo "$3  $1/$2" | sha256sum --check --status 2>/dev/null; then cat >/dev/null; exit 0; fi
cat >"$1/$2.partial"; echo "$3  $1/$2.partial" | sha256sum --check --status; sync -- "$1/$2.partial"; mv -fT -- "$1/$2.partial" "$1/$2"`
  const path = `${HOST_PATH.backupFolder}/${set}`
  return within(SEND_HOURS * 60, scriptCommand(script, [path, name, sha256], { open, identity: sha256 }))
}

/** Of a name that stands twice the first counts. The server in its container reads it, so it is PostgreSQL's. */
const UNPACK = `id=$(sed -n 's/.*"systemId": "\\([0-9]*\\)".*/\\1/p' "$1/base.json"); [ -n "$id" ]; umask 077; mkdir -p -- "$2/$id"
tar --extract --ignore-zeros --skip-old-files --no-same-owner --file "$1/wal.tar" --directory "$2/$id"
chown -R --reference="$3" -- "$2" "$2/$id"; sync -f -- "$2/$id"; rm -- "$1/wal.tar"`

/** Lays the log that came with a base backup down where that of its cluster is looked for. */
export function unpackLogCommand(base: string): Command {
  const args = [`${HOST_PATH.backupFolder}/${base}`, HOST_PATH.walFolder, HOST_PATH.postgresFolder]
  return within(60, scriptCommand(UNPACK, args))
}
