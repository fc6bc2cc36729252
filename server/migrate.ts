/**
 * The migrations' process: `migrate.ts status|up|verify|baseline [--at NNN] [--json] [--lock-timeout SECONDS]
 * [--migrations DIR] [--before-acceptance]`. Results go to stdout, progress and errors to stderr; docs/reference/migrations.md lists the
 * exit codes.
 */

import { hostname, userInfo } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from './adapters/migration-folder.ts'
import { openPglite } from './adapters/pglite/pglite.ts'
import { openPostgres } from './adapters/postgres.ts'
import { type Config, ConfigError, readConfig } from './config/config.ts'
import type { SessionDatabase } from './core/ports.ts'
import { DatabaseError } from './database/database-error.ts'
import { adoptBaseline } from './migration/baseline.ts'
import { parseMigrations } from './migration/migration.ts'
import {
  problemReport,
  type Report,
  reportBaseline,
  reportStatus,
  reportUp,
  reportVerify,
} from './migration/migration-report.ts'
import { type MigrationEvent, type MigrationRun, migrateUp, migrationStatus } from './migration/migrator.ts'
import { verifyMigrations } from './migration/verification.ts'
import { releaseVersion } from './observability/about.ts'

const USAGE =
  'migrate.ts status|up|verify|baseline [--at NNN] [--json] [--lock-timeout SECONDS] [--migrations DIR] [--before-acceptance]'
const ACTIONS = ['status', 'up', 'verify', 'baseline'] as const

/** The parsed command line. */
type Request = Readonly<{
  action: (typeof ACTIONS)[number]
  at: number | undefined
  isJson: boolean
  /** Migrations of the phase `contract` wait. */
  isBeforeAcceptance: boolean
  lockTimeoutMs: number
  folder: string
}>

function log(line: string): boolean {
  return process.stderr.write(`${line}\n`)
}

/** Undefined when the arguments are invalid. */
function parseRequest(argv: readonly string[]): Request | undefined {
  const text = { type: 'string' } as const
  const options = {
    at: text,
    'lock-timeout': text,
    migrations: text,
    json: { type: 'boolean' },
    'before-acceptance': { type: 'boolean' },
  } as const
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    const action = ACTIONS.find((name) => name === positionals[0])
    const numbers = [values.at ?? '1', values['lock-timeout'] ?? '30']
    if (action === undefined || positionals.length > 1 || !numbers.every((number) => /^\d{1,6}$/.test(number))) return
    return {
      action,
      at: values.at === undefined ? undefined : Number(values.at),
      isJson: values.json === true,
      isBeforeAcceptance: values['before-acceptance'] === true,
      lockTimeoutMs: Number(values['lock-timeout'] ?? 30) * 1000,
      folder: values.migrations ?? MIGRATION_FOLDER,
    }
  } catch {
    return undefined
  }
}

/** Migrations have no statement timeout, unlike calls, and an application name that shows who holds the lock. */
async function openDatabase({ database, storage }: Config): Promise<SessionDatabase> {
  if (database.kind === 'pglite') return openPglite({ folder: database.folder, nowMs: Date.now })
  return openPostgres({
    kind: storage === 'supabase' ? 'supabase' : 'local',
    address: database.address,
    authority: database.authority,
    password: database.password,
    applicationName: `tappass-migrate ${process.pid}@${hostname()}`.slice(0, 63),
    connectionsMax: 1,
    statementTimeoutMs: 0,
    onConnectionLost: (cause) => log(`database: ${cause.message}`),
  })
}

function logEvent(event: MigrationEvent): void {
  if (event.event === 'migration.done') log(`${event.file} applied in ${Math.round(event.ms)} ms`)
  if (event.event === 'migration.retry') log(`${event.file} waits ${event.inMs} ms and tries again: ${event.reason}`)
}

async function execute(request: Request, config: Config): Promise<Report> {
  const { migrations, problems } = parseMigrations(await readMigrationFiles(request.folder))
  if (problems.length > 0) return problemReport(problems)
  const run: MigrationRun = {
    isBeforeAcceptance: request.isBeforeAcceptance,
    toolVersion: releaseVersion(),
    who: userInfo().username,
    host: hostname(),
    lockTimeoutMs: request.lockTimeoutMs,
    nowMs: Date.now,
    sleep: (ms) => sleep(ms),
    runtimeRole: config.database.kind === 'postgres' ? config.database.runtimeRole : undefined,
    emit: logEvent,
  }
  const database = await openDatabase(config)
  try {
    switch (request.action) {
      case 'status':
        return reportStatus(await migrationStatus(database, migrations, 'change'))
      case 'up':
        return reportUp(await migrateUp(database, migrations, run))
      case 'verify':
        return reportVerify(await verifyMigrations(database, migrations))
      case 'baseline':
        return reportBaseline(await adoptBaseline(database, migrations, request.at, run))
    }
  } finally {
    await database.close()
  }
}

/** Results go to stdout; errors, for people, to stderr. */
function print({ code, lines, json }: Report, isJson: boolean): void {
  const isAnswer = code === EXIT_CODE.upToDate || code === EXIT_CODE.changesPending
  const out = isAnswer && !isJson ? process.stdout : process.stderr
  if (isJson) process.stdout.write(`${JSON.stringify(json)}\n`)
  if (!isJson || !isAnswer) out.write(lines.map((line) => `${line}\n`).join(''))
  process.exitCode = code
}

function fail(error: unknown, isJson: boolean): void {
  const isOutOfReach = error instanceof DatabaseError && error.sqlState === undefined
  const reason = error instanceof Error ? error.message : String(error)
  if (isJson) process.stdout.write(`${JSON.stringify({ status: isOutOfReach ? 'unreachable' : 'failed', reason })}\n`)
  log(`tappass migrate: ${reason}`)
  if (isOutOfReach)
    log('  next: make sure that the database runs and accepts connections, then run the same command again')
  process.exitCode =
    error instanceof ConfigError ? EXIT_CODE.refused : isOutOfReach ? EXIT_CODE.unreachable : EXIT_CODE.failed
}

async function main(argv: readonly string[]): Promise<void> {
  const request = parseRequest(argv)
  if (request === undefined) {
    log(`usage: ${USAGE}`)
    process.exitCode = EXIT_CODE.usage
    return
  }
  try {
    print(await execute(request, readConfig('migration')), request.isJson)
  } catch (error) {
    fail(error, request.isJson)
  }
}

if (import.meta.main) await main(process.argv.slice(2))
