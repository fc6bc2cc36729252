/** Runs the migrations of this release on a restored database, as the owner of its tables: a set may be older than the release. */

import { setTimeout as sleep } from 'node:timers/promises'
import { ROLE } from '../../contract/database-role.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from '../adapters/migration-folder.ts'
import { type Migration, parseMigrations } from '../migration/migration.ts'
import { migrateUp } from '../migration/migrator.ts'
import { releaseVersion } from '../observability/about.ts'
import { type BackupHost, withDatabase } from './backup-host.ts'

const LOCK_TIMEOUT_MS = 30_000

/** Runs those that are wanted, all of them unless it is said. Throws when one of them fails. */
export async function migrateRestored(
  host: BackupHost,
  name: string,
  isWanted: (migration: Migration) => boolean = () => true,
): Promise<void> {
  const { migrations: all } = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER))
  const migrations = all.filter(isWanted)
  const outcome = await withDatabase(host, ROLE.owner, name, (database) =>
    migrateUp(database, migrations, {
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      nowMs: host.clock.nowMs,
      sleep: (ms) => sleep(ms),
      toolVersion: releaseVersion(),
      who: 'backup',
      host: 'proof',
      // What takes away waits, as after an upgrade: the release serves with and without it.
      isBeforeAcceptance: true,
      runtimeRole: ROLE.gateway,
      emit: () => {},
    }),
  )
  if (outcome.status === 'current') return
  const reason = outcome.status === 'failed' ? `${outcome.file}: ${outcome.reason}` : outcome.status
  throw new Error(`the migrations of this release do not run on it: ${reason}`)
}
