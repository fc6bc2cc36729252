/** What a release on the host says of the database: asked from the release's own folder, whose migrations are compared with the schema history. */
import type { MigrationPhase } from '../../contract/migration-header.ts'
import { within } from '../core/command.ts'
import type { Fact } from '../core/host.ts'
import { processCommand } from './process-target.ts'

/** A migration that was not run yet, or was; `phase` is what its file says. */
export type KnownMigration = Readonly<{ file: string; phase?: MigrationPhase | null }>

/** The files that were applied, those that it would apply, and why it would not. */
export type SchemaStatus = Readonly<{
  applied: readonly (KnownMigration & Readonly<{ sha256: string }>)[]
  pending: readonly KnownMigration[]
  problems: readonly Readonly<{ message: string; next: string }>[]
}>

/** How long the question may take. */
const STATUS_MINUTES = 1

/** What the release in a folder says, from there; undefined when it can't be run or the database does not answer. */
export function schemaStatusFact(folder: string): Fact<SchemaStatus | undefined> {
  return {
    query: within(STATUS_MINUTES, processCommand('server/migrate.ts', ['status', '--json'], 'read', '', folder)),
    parse: ({ stdout }) => {
      try {
        const { applied = [], pending = [], problems } = JSON.parse(stdout) as Partial<SchemaStatus>
        return problems === undefined ? undefined : { applied, pending, problems }
      } catch {
        return undefined
      }
    },
  }
}
