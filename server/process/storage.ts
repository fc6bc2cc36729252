/** Opens the database that the configuration names, and makes sure that its schema matches this release. */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { MIGRATION_FOLDER, readMigrationFiles } from '../adapters/migration-folder.ts'
import { openPglite } from '../adapters/pglite/pglite.ts'
import { openPostgres } from '../adapters/postgres.ts'
import type { Config } from '../config/config.ts'
import type { Clock, SessionDatabase } from '../core/ports.ts'
import { beforeAcceptance, parseMigrations } from '../migration/migration.ts'
import { type MigrationOutcome, migrateUp, migrationStatus } from '../migration/migrator.ts'

/** How long a start waits for another process that migrates. */
const LOCK_TIMEOUT_MS = 60_000

/** Opens the database; `onConnectionLost` is called when an idle connection breaks. */
export async function openDatabase(
  { database, storage }: Pick<Config, 'database' | 'storage'>,
  clock: Clock,
  onConnectionLost: (cause: Error) => void,
): Promise<SessionDatabase> {
  if (database.kind === 'pglite') return openPglite({ folder: database.folder, nowMs: clock.nowMs })
  const { address, authority, password, nextPassword } = database
  const kind = storage === 'supabase' ? 'supabase' : 'local'
  const login = { address, authority, password, nextPassword }
  return openPostgres({ kind, ...login, applicationName: 'tappass', onConnectionLost })
}

/**
 * Migrates the schema to the newest migration, or, where migrations are a separate step (a PostgreSQL in production, or one
 * whose tables another role owns), throws unless it is current. `version` is this release's.
 */
export async function prepareSchema(
  database: SessionDatabase,
  { environment, database: settings }: Pick<Config, 'environment' | 'database'>,
  version: string,
  clock: Clock,
): Promise<void> {
  const { migrations, problems } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '))
  if (settings.kind === 'postgres' && (environment === 'production' || settings.hasOwner)) {
    const status = await migrationStatus(database, migrations, 'read')
    const reasons = status.problems.map(({ message, next }) => `${message}; ${next}`)
    const missing = beforeAcceptance(status.pending, status.applied)
    if (missing.length > 0) reasons.push(`${missing.length} migrations are pending; run tappass migrate up`)
    if (reasons.length > 0) throw new Error(`the database schema does not match this release: ${reasons.join('; ')}`)
    return
  }
  const outcome = await migrateUp(database, migrations, {
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    nowMs: clock.nowMs,
    sleep: (ms) => sleep(ms),
    toolVersion: version,
    who: 'gateway',
    host: hostname(),
    isBeforeAcceptance: false,
    runtimeRole: undefined,
    emit: () => {},
  })
  const failure = failureOf(outcome)
  if (failure) throw new Error(`the database could not be migrated: ${failure}`)
}

function failureOf(outcome: MigrationOutcome): string | undefined {
  switch (outcome.status) {
    case 'current':
      return undefined
    case 'refused':
      return outcome.problems.map(({ message, next }) => `${message}; ${next}`).join('; ')
    case 'locked':
      return `another process holds the lock (${outcome.holder?.name ?? 'unknown'})`
    case 'failed':
      return `${outcome.file}: ${outcome.reason}`
  }
}
