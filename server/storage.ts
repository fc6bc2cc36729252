/** Opens the database that the configuration names, and sees that its schema is the one this release works with. */
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { MIGRATION_FOLDER, readMigrationFiles } from './adapters/migration-folder.ts'
import { openPglite, type PgliteDatabase } from './adapters/pglite.ts'
import { keepSnapshot, readSnapshot, snapshotKey } from './adapters/pglite-snapshot.ts'
import { openPostgres } from './adapters/postgres.ts'
import type { Config } from './config.ts'
import { parseMigrations } from './core/migration.ts'
import { type MigrationOutcome, migrateUp, migrationStatus } from './core/migration-run.ts'
import type { Clock, SessionDatabase } from './core/ports.ts'

/** How long a start waits for another process that migrates. */
const LOCK_TIMEOUT_MS = 60_000

/** An open database; one that PGlite runs can also be copied whole. */
type OpenDatabase = SessionDatabase & Partial<Pick<PgliteDatabase, 'takeImage'>>

/** Opens the database; `report` hears of connections that broke while nobody used them. */
export async function openDatabase(
  { database, storage }: Pick<Config, 'database' | 'storage'>,
  clock: Clock,
  report: (cause: Error) => void,
): Promise<OpenDatabase> {
  if (database.kind === 'pglite') {
    const cacheFolder = cacheFolderOf(database)
    const image = cacheFolder === undefined ? undefined : await readSnapshot(cacheFolder, await keyOfNow())
    return openPglite({ folder: database.folder, image, nowMs: clock.nowMs })
  }
  const { address, password } = database
  const kind = storage === 'supabase' ? 'supabase' : 'local'
  return openPostgres({ kind, address, password, applicationName: 'tappass', onConnectionLost: report })
}

/**
 * Brings the schema to the newest migration, or, where migrations are a step of their own (a PostgreSQL in production),
 * throws unless it is there already. `version` is this release's.
 */
export async function prepareSchema(
  database: OpenDatabase,
  { environment, database: place }: Pick<Config, 'environment' | 'database'>,
  version: string,
  clock: Clock,
): Promise<void> {
  const { migrations, problems } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('; '))
  if (place.kind === 'postgres' && environment === 'production') {
    const status = await migrationStatus(database, migrations)
    const reasons = status.problems.map(({ message, next }) => `${message}; ${next}`)
    if (status.pending.length > 0)
      reasons.push(`${status.pending.length} migrations are pending; run tappass migrate up`)
    if (reasons.length > 0) throw new Error(`the database is not of this release: ${reasons.join('; ')}`)
    return
  }
  const outcome = await migrateUp(database, migrations, {
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    nowMs: clock.nowMs,
    sleep: (ms) => sleep(ms),
    toolVersion: version,
    who: 'gateway',
    host: hostname(),
    tell: () => {},
  })
  const failure = failureOf(outcome)
  if (failure) throw new Error(`the database could not be migrated: ${failure}`)
  const isMade = outcome.status === 'current' && outcome.applied.length > 0
  const cacheFolder = cacheFolderOf(place)
  if (isMade && cacheFolder !== undefined && database.takeImage !== undefined) {
    await keepSnapshot(cacheFolder, await keyOfNow(), await database.takeImage())
  }
}

/** Where the image of a database in memory is kept; databases elsewhere need none. */
function cacheFolderOf(database: Config['database']): string | undefined {
  return database.kind === 'pglite' && database.folder === undefined ? database.cacheFolder : undefined
}

const keyOfNow = async (): Promise<string> =>
  snapshotKey((await readMigrationFiles(MIGRATION_FOLDER)).map(({ file, text }) => `${file} ${text}`))

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
