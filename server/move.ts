/**
 * The process that moves the data of a host's own database to the one elsewhere whose addresses are its credentials, and back; as root, started by the toolkit:
 *   move      copies them to there, with the gateway stopped, which stays stopped
 *   bring     copies them from there to the host's own, likewise
 *   return    goes back to the one of before, unless something was recorded in the other one since
 *   settle    ends a move that was killed
 *   open      lets the gateway into the host's own database again
 *   forget    the next database is another one, and what was noted of the last move is of none any more
 * Exit codes: 0 done, 1 failed, 5 refused, 64 usage.
 */

import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE, type ExitCode } from '../contract/exit-code.ts'
import { parseServerDatabase, STORAGE_CREDENTIAL } from '../contract/storage.ts'
import type { FilledDatabase } from './adapters/plain-restore.ts'
import { type BackupHost, readSecrets } from './recovery/backup-host.ts'
import { bringDatabase } from './recovery/bring-database.ts'
import { containerHost, HOST_OPTIONS } from './recovery/container-host.ts'
import { moveDatabase, openOwnDatabase, returnDatabase, settleMove } from './recovery/move-database.ts'
import { forgetNote, MoveRefusal } from './recovery/move-note.ts'

/** The database elsewhere, as the role that owns its tables. */
async function targetOf(host: BackupHost): Promise<FilledDatabase> {
  const secrets = await readSecrets(host)
  const text = (id: string) => secrets.get(id)?.toString().trim()
  const { DATABASE_URL: urlId, DATABASE_OWNER_URL: ownerId, DATABASE_CA: authorityId } = STORAGE_CREDENTIAL
  const address = text(ownerId) ?? text(urlId)
  if (address === undefined)
    throw new MoveRefusal(`there is no credential ${urlId}`, `tappass bootstrap --secret ${urlId}=FILE`)
  return { address: parseServerDatabase(address), authority: text(authorityId) }
}

const ACTIONS: Readonly<Record<string, (host: BackupHost) => Promise<void>>> = {
  move: async (host) => await moveDatabase(host, await targetOf(host)),
  bring: async (host) => await bringDatabase(host, await targetOf(host)),
  return: (host) => returnDatabase(host, () => targetOf(host)),
  settle: (host) => settleMove(host, () => targetOf(host)),
  open: (host) => openOwnDatabase(host, () => targetOf(host)),
  forget: forgetNote,
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArgs({ args: [...argv], options: HOST_OPTIONS, allowPositionals: true })
  const action = positionals.length === 1 ? ACTIONS[positionals[0] ?? ''] : undefined
  if (action === undefined) {
    process.stderr.write(`tappass-move: usage: ${basename(import.meta.filename)} ${Object.keys(ACTIONS).join('|')}\n`)
    return EXIT_CODE.usage
  }
  await action(containerHost(values, (line) => process.stdout.write(`${line}\n`)))
  return EXIT_CODE.upToDate
}

if (import.meta.main) {
  // Whoever reads may be gone: what was begun goes on to its end.
  process.stdout.on('error', () => undefined)
  process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
    const isRefused = error instanceof MoveRefusal
    process.stderr.write(`tappass-move: ${error.message}${isRefused ? `\n  next: ${error.next}` : ''}\n`)
    return isRefused ? EXIT_CODE.refused : EXIT_CODE.failed
  })
}
