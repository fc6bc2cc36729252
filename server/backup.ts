/**
 * The process of backups, as root and with a network of its own (units/tappass-backup.service, and the toolkit for all but `create`):
 *   create                        takes a set, proves it, and lets expired ones go
 *   list                          shows them
 *   verify [SET]                  reads a set to its end, and proves it again (the newest unless named)
 *   prune                         lets expired ones go
 *   restore SOURCE                puts it in the place of the database in force; with --database NAME beside it, with --check only says whether it may,
 *                                 with --to TIME, in place of a name, the database as it was then; with --first in the place of the empty one of a host that is made from it, and
 *                                 with --base BASE, too, as of a moment of the lost server whose base backup and log are here
 *   settle                        ends a restoration that was killed
 * Exit codes: 0 done, 1 failed, 5 refused, 64 usage.
 */
import { basename, join } from 'node:path'
import { EXIT_CODE, type ExitCode } from '../contract/exit-code.ts'
import type { BackupManifest } from './backups/manifest.ts'
import { type BackupHost, backupFolderOf } from './recovery/backup-host.ts'
import { parseRequest, type Request } from './recovery/backup-request.ts'
import { listBaseBackups, pruneBases } from './recovery/base-backup.ts'
import { clearLeftovers, createSet } from './recovery/create-set.ts'
import { takeDueBaseBackup, verifyBaseBackup } from './recovery/due-base-backup.ts'
import { listEarlier, pruneEarlier } from './recovery/earlier-database.ts'
import { listLines } from './recovery/list-text.ts'
import { baseAt, removeLost, setAt, setOfLost, UnreachableTime } from './recovery/point-in-time.ts'
import { evidenceOf, proveSet } from './recovery/prove-set.ts'
import { foundingSet, restoreBeside, restoreInPlace, settle } from './recovery/restore-set.ts'
import { findSource, type RestoreSource } from './recovery/restore-source.ts'
import { listBackups, pruneBackups } from './recovery/set-list.ts'

/** Refused, with nothing changed. */
class Refusal extends Error {}

function log(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function prove(host: BackupHost, manifest: BackupManifest): Promise<void> {
  const proof = await proveSet(host, join(backupFolderOf(host), manifest.name), manifest)
  const { seconds, rows, tables, entries, chains } = proof
  log(
    `verified ${manifest.name}: restored in ${seconds} s, ${rows} rows in ${tables} tables, ledger intact (${entries} entries, ${chains} chains), a gateway answered a call`,
  )
}

async function prune({ host, keep, pointInTimeDays }: Request): Promise<ExitCode> {
  for (const name of await pruneBackups(host, keep)) log(`removed ${name}`)
  const verifiedMs = (await listBackups(host)).findLast(({ isVerified }) => isVerified)?.takenMs
  for (const name of await pruneEarlier(host, verifiedMs, keep.daily)) log(`removed ${name}`)
  for (const name of await pruneBases(host, pointInTimeDays)) log(`removed ${name}`)
  return EXIT_CODE.upToDate
}

async function create(request: Request): Promise<ExitCode> {
  const { host, recipient } = request
  await settle(host)
  await clearLeftovers(host)
  const manifest = await createSet(host, recipient)
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0)
  const without = manifest.withheld.length === 0 ? '' : ', without secrets: there is no backup.recoveryKey'
  log(`made ${manifest.name} (${bytes} bytes${without})`)
  await prove(host, manifest)
  if (request.pointInTimeDays > 0) await takeDueBaseBackup(host)
  return await prune(request)
}

async function list({ host, isJson }: Request): Promise<ExitCode> {
  const [backups, bases, earlier] = [await listBackups(host), await listBaseBackups(host), await listEarlier(host)]
  if (isJson) log(JSON.stringify({ backups, bases, earlier }))
  else for (const line of listLines(backups, bases, earlier)) log(line)
  return EXIT_CODE.upToDate
}

function refuseFor({ label, problems }: RestoreSource): void {
  if (problems.length === 0) return
  const reasons = problems.map(({ what, next }) => `  - ${what}\n    next: ${next}`)
  throw new Refusal(`${label} is refused:\n${reasons.join('\n')}`)
}

async function verify({ host, operand, keyFile }: Request): Promise<ExitCode> {
  await settle(host)
  await clearLeftovers(host)
  const newest = (await listBackups(host)).at(-1)?.name
  const named = operand ?? newest
  if (named === undefined) throw new Error('there is no backup: tappass backup create')
  const source = await findSource(host, named, keyFile)
  refuseFor(source)
  if (source.manifest === undefined)
    throw new Refusal(`${named} is of a release before 0.13, or a dump alone: restore it beside the one in force instead
    next: tappass backup restore ${named} --database tappass_look`)
  await prove(host, source.manifest)
  await verifyBaseBackup(host)
  return EXIT_CODE.upToDate
}

/** Makes the set of a moment, and proves it: what `restore` then puts in force was looked at as every other one. */
async function restoreTime(request: Request, time: Date): Promise<ExitCode> {
  const { host, isCheck, database, recipient } = request
  if (isCheck) {
    const { name } = await baseAt(host, time)
    log(`the database as of ${time.toISOString()} is made from ${name} and the archived log`)
    return EXIT_CODE.upToDate
  }
  await settle(host)
  await clearLeftovers(host)
  const manifest = await setAt(host, time, recipient)
  log(`made ${manifest.name}, the database as of ${time.toISOString()}`)
  await prove(host, manifest)
  const source = await findSource(host, manifest.name)
  refuseFor(source)
  await (database === undefined
    ? restoreInPlace(host, source, { by: request.by, isFirst: false })
    : restoreBeside(host, source, database))
  return EXIT_CODE.upToDate
}

/** Makes the set of a moment of a server that was lost, and puts it in the place of the empty database of this host. What the set that it is made from knows of the ledger has to hold, too. */
async function restoreLost(request: Request, base: string): Promise<ExitCode> {
  const { host, by, time, recipient } = request
  await settle(host)
  const founding = await foundingSet(host)
  if (founding === undefined) throw new Refusal('this host is not being made from a set: nothing of it is replaced')
  await clearLeftovers(host)
  const manifest = await setOfLost(host, { base, time }, founding, recipient)
  log(`made ${manifest.name}, the database of the lost server as of ${manifest.takenAt}`)
  await prove(host, manifest)
  const source = await findSource(host, manifest.name)
  refuseFor(source)
  const known = await evidenceOf(join(backupFolderOf(host), founding))
  const evidence = {
    publicKeys: [...source.evidence.publicKeys, ...known.publicKeys],
    notes: [...source.evidence.notes, ...known.notes],
  }
  await restoreInPlace(host, { ...source, evidence }, { by, isFirst: true })
  await removeLost(host, base)
  return EXIT_CODE.upToDate
}

async function restore(request: Request): Promise<ExitCode> {
  const { host, operand, keyFile, database, isCheck, isFirst, time, base } = request
  if (isFirst && base !== undefined) return await restoreLost(request, base)
  if (time !== undefined) return await restoreTime(request, time)
  if (operand === undefined) throw new Refusal('restore needs the name of a set or the path of a dump')
  if (!isCheck) await settle(host)
  if (isFirst && (await foundingSet(host)) !== operand)
    throw new Refusal(`this host is not being made from ${operand}: tappass backup restore ${operand}`)
  const source = await findSource(host, operand, keyFile)
  refuseFor(source)
  if (isCheck) {
    const taken = source.takenAt === undefined ? '' : `, taken ${source.takenAt}`
    log(`${source.label} can be restored${taken}${source.manifest === undefined ? '' : ', signed and whole'}`)
    for (const note of source.notes) log(`note: ${note}`)
    return EXIT_CODE.upToDate
  }
  await clearLeftovers(host)
  if (database === undefined) await restoreInPlace(host, source, { by: request.by, isFirst })
  else await restoreBeside(host, source, database)
  return EXIT_CODE.upToDate
}

async function end({ host }: Request): Promise<ExitCode> {
  await settle(host)
  return EXIT_CODE.upToDate
}

const ACTIONS: Readonly<Record<string, (request: Request) => Promise<ExitCode>>> = {
  ...{ create, list, verify, prune, restore, settle: end },
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const parsed = parseRequest(argv, log)
  const action = parsed && ACTIONS[parsed.action]
  if (parsed === undefined || action === undefined) {
    process.stderr.write(
      `tappass-backup: usage: ${basename(import.meta.filename)} create|list|verify|prune|restore|settle\n`,
    )
    return EXIT_CODE.usage
  }
  return await action(parsed.request)
}

if (import.meta.main) {
  // Whoever reads may be gone: what was begun goes on to its end.
  process.stdout.on('error', () => undefined)
  process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`tappass-backup: ${error.message}\n`)
    return error instanceof Refusal || error instanceof UnreachableTime ? EXIT_CODE.refused : EXIT_CODE.failed
  })
}
