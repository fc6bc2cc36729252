/**
 * The process of backups, as root and with a network of its own (units/tappass-backup.service, and the toolkit for all but `create`):
 *   create                        takes a set, proves it, and lets expired ones go
 *   list                          shows them
 *   verify [SET]                  reads a set to its end, and proves it again (the newest unless named)
 *   prune                         lets expired ones go
 *   restore SOURCE                puts it in the place of the database in force; with --database NAME beside it, with --check only says whether it may
 *   settle                        ends a restoration that was killed
 * Exit codes: 0 done, 1 failed, 5 refused, 64 usage.
 */

import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE, type ExitCode } from '../contract/exit-code.ts'
import { parseRecipient } from '../contract/recovery-key.ts'
import { postgresContainer } from './adapters/container/postgres-container.ts'
import { postgresRestore } from './adapters/container/postgres-restore.ts'
import { systemClock } from './adapters/system.ts'
import type { BackupManifest } from './backups/manifest.ts'
import type { RetentionPolicy } from './backups/retention.ts'
import { type BackupHost, backupFolderOf, CONTAINER, DATABASE, ROLE } from './recovery/backup-host.ts'
import { clearLeftovers, createSet } from './recovery/create-set.ts'
import { proveSet } from './recovery/prove-set.ts'
import { restoreBeside, restoreInPlace, settle } from './recovery/restore-set.ts'
import { findSource, type RestoreSource } from './recovery/restore-source.ts'
import { listBackups, pruneBackups } from './recovery/set-list.ts'

/** What was asked for. */
type Request = Readonly<{
  host: BackupHost
  operand: string | undefined
  keep: RetentionPolicy
  recipient: string | undefined
  database: string | undefined
  keyFile: string | undefined
  isCheck: boolean
  isJson: boolean
}>

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

async function prune({ host, keep }: Request): Promise<ExitCode> {
  for (const name of await pruneBackups(host, keep)) log(`removed ${name}`)
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
  return await prune(request)
}

async function list({ host, isJson }: Request): Promise<ExitCode> {
  const listed = await listBackups(host)
  if (isJson) log(JSON.stringify(listed))
  else if (listed.length === 0) log('there is no backup')
  else
    for (const { name, bytes, release, state, recipient, format } of listed)
      log(
        [name, `${bytes} bytes`, release || '-', state, recipient === null && format === 2 ? 'no secrets' : '']
          .join('  ')
          .trimEnd(),
      )
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
  return EXIT_CODE.upToDate
}

async function restore({ host, operand, keyFile, database, isCheck }: Request): Promise<ExitCode> {
  if (operand === undefined) throw new Refusal('restore needs the name of a set or the path of a dump')
  if (!isCheck) await settle(host)
  const source = await findSource(host, operand, keyFile)
  refuseFor(source)
  if (isCheck) {
    const taken = source.takenAt === undefined ? '' : `, taken ${source.takenAt}`
    log(`${source.label} can be restored${taken}${source.manifest === undefined ? '' : ', signed and whole'}`)
    for (const note of source.notes) log(`note: ${note}`)
    return EXIT_CODE.upToDate
  }
  await clearLeftovers(host)
  if (database === undefined) await restoreInPlace(host, source)
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

const TEXT = { type: 'string' } as const
const FLAG = { type: 'boolean' } as const
const OPTIONS = {
  root: TEXT,
  port: TEXT,
  credentials: TEXT,
  'keep-daily': TEXT,
  'keep-weekly': TEXT,
  'recovery-key': TEXT,
  database: TEXT,
  key: TEXT,
  check: FLAG,
  json: FLAG,
} as const

const DATABASE_NAME = /^tappass_[a-z0-9_]{1,40}$/

/** Undefined when the arguments are invalid. */
function parseRequest(argv: readonly string[]): Readonly<{ action: string; request: Request }> | undefined {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  const [action = '', operand, ...rest] = positionals
  const [daily, weekly] = [Number(values['keep-daily'] ?? 7), Number(values['keep-weekly'] ?? 4)]
  const recipient = values['recovery-key'] === undefined ? undefined : parseRecipient(values['recovery-key'])
  const isKeyWrong = values['recovery-key'] !== undefined && recipient === undefined
  const { database } = values
  const isNameWrong =
    database !== undefined && (!DATABASE_NAME.test(database) || Object.values<string>(DATABASE).includes(database))
  if (rest.length > 0 || !Number.isInteger(daily) || !Number.isInteger(weekly) || isKeyWrong || isNameWrong) return
  const host: BackupHost = {
    root: values.root ?? '',
    credentials: values.credentials,
    release: join(import.meta.dirname, '..'),
    port: Number(values.port ?? 5432),
    dumpTool: postgresContainer(CONTAINER, DATABASE.live, ROLE.reader),
    restoreTool: postgresRestore(CONTAINER, ROLE),
    clock: systemClock,
    log,
  }
  const flags = { isCheck: values.check === true, isJson: values.json === true }
  return {
    action,
    request: { host, operand, keep: { daily, weekly }, recipient, database, keyFile: values.key, ...flags },
  }
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const parsed = parseRequest(argv)
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
    return error instanceof Refusal ? EXIT_CODE.refused : EXIT_CODE.failed
  })
}
