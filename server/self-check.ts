/**
 * What a release can say of itself from its own folder, before anything runs from it: its migrations are a set, its rules and steps load, its policy loads and
 * decides. Needs no setting, no database and no network. Ends with 0, or with 1 and the reason.
 */
import { join } from 'node:path'
import { EXIT_CODE } from '../contract/exit-code.ts'
import { MIGRATION_FOLDER, readMigrationFiles } from './adapters/migration-folder.ts'
import { checkPolicy } from './composition/self-check.ts'
import { parseMigrations } from './migration/migration.ts'

async function checkMigrations(): Promise<void> {
  const [problem] = parseMigrations(await readMigrationFiles(MIGRATION_FOLDER)).problems
  if (problem !== undefined) throw new Error(problem.message)
}

/** Each part by its name, so that a failure says which it is. */
const PARTS = {
  migrations: checkMigrations,
  policy: () => checkPolicy(join(import.meta.dirname, 'steps')),
} as const

async function main(): Promise<void> {
  for (const [name, check] of Object.entries(PARTS)) {
    await check().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      process.stderr.write(`the release does not pass its own check of its ${name}: ${reason}\n`)
      process.exitCode = EXIT_CODE.failed
    })
  }
}

if (import.meta.main) await main()
