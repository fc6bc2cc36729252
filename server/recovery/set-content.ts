/** What goes into a set beside its dump: roles, the ledger's newest checkpoints, the host's settings, and what is sealed to the recovery key. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { HOST_PATH } from '../../contract/path.ts'
import type { DatabaseSnapshot } from '../adapters/container/postgres-container.ts'
import { SET_FILE } from '../backups/manifest.ts'
import { type SetFile, writeSetFile } from '../backups/set-file.ts'
import { sha256 } from '../core/hash.ts'
import { type BackupHost, pathOn, publicKeysOf } from './backup-host.ts'
import { sealed, spireContent } from './sealed-content.ts'

/** The files that were written, and what was left out for want of a recovery key. */
export type SetContent = Readonly<{
  files: readonly SetFile[]
  withheld: readonly string[]
  images: Readonly<Record<string, string>>
}>

/** What `ledger.json` holds: the keys that have signed here (base64), and the newest checkpoint of each chain as of the snapshot. */
export type LedgerState = Readonly<{ publicKeys: readonly string[]; checkpoints: readonly string[] }>

/** A line for each, in base64: a note has line ends. */
const NEWEST = `SELECT replace(encode(convert_to(note, 'UTF8'), 'base64'), E'\\n', '') FROM (SELECT DISTINCT ON (chain) chain, note
  FROM public.audit_checkpoints ORDER BY chain, size DESC) AS newest`

async function ledgerState(
  host: BackupHost,
  secrets: ReadonlyMap<string, Buffer>,
  snapshot: DatabaseSnapshot,
): Promise<LedgerState> {
  const keys = await publicKeysOf(host, secrets)
  const notes = await snapshot.query(NEWEST)
  return {
    publicKeys: keys.map((key) => Buffer.from(key).toString('base64')),
    checkpoints: notes.map((note) => Buffer.from(note, 'base64').toString()),
  }
}

async function textAt(host: BackupHost, path: string): Promise<string> {
  return await readFile(pathOn(host, path), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return ''
    throw cause
  })
}

/** The last entry of the log of runs, and its digest: what comes before it is chained to it. */
async function historyHead(host: BackupHost): Promise<string> {
  const folder = join(pathOn(host, HOST_PATH.historyFolder), 'entries')
  const name = (await readdir(folder).catch(() => [])).toSorted().at(-1)
  if (name === undefined) return '{}\n'
  const text = await readFile(join(folder, name), 'utf8')
  return `${JSON.stringify({ name, sha256: sha256(text), entry: text })}\n`
}

function imagesOf(versions: string): Readonly<Record<string, string>> {
  const { images } = (parse(versions) ?? {}) as { images?: Record<string, unknown> }
  return Object.fromEntries(Object.entries(images ?? {}).map(([name, value]) => [name, String(value)]))
}

/** Writes them into the folder of the set. `secrets` are those of the host. */
export async function writeSetContent(
  host: BackupHost,
  folder: string,
  snapshot: DatabaseSnapshot,
  { secrets, recipient }: Readonly<{ secrets: ReadonlyMap<string, Buffer>; recipient: string | undefined }>,
): Promise<SetContent> {
  const versions = await textAt(host, HOST_PATH.versions)
  const texts = {
    [SET_FILE.roles]: await host.dumpTool.dumpRoles(),
    [SET_FILE.ledger]: `${JSON.stringify(await ledgerState(host, secrets, snapshot), null, 2)}\n`,
    [SET_FILE.settings]: await textAt(host, HOST_PATH.settings),
    [SET_FILE.versions]: versions,
    [SET_FILE.history]: await historyHead(host),
  }
  const files: SetFile[] = []
  for (const [name, text] of Object.entries(texts)) files.push(await writeSetFile(folder, name, text))
  const spire = await spireContent(host, folder)
  const secret = { [SET_FILE.secrets]: secrets, ...(spire === undefined ? {} : { [SET_FILE.spire]: spire }) }
  if (recipient === undefined) return { files, withheld: Object.keys(secret), images: imagesOf(versions) }
  for (const [name, content] of Object.entries(secret))
    files.push(await writeSetFile(folder, name, sealed(recipient, content)))
  return { files, withheld: [], images: imagesOf(versions) }
}
