/** Reads the folder of migrations. Which of its files are valid is decided in migration/migration.ts. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrationFile } from '../migration/migration.ts'

/** The folder that comes with this release. */
export const MIGRATION_FOLDER: string = join(import.meta.dirname, '../../migrations')

/** Reads every file of the folder but hidden ones, in order of names. Throws when it can't be read. */
export async function readMigrationFiles(folder: string): Promise<readonly MigrationFile[]> {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
  return Promise.all(names.map(async (file) => ({ file, text: await readFile(join(folder, file), 'utf8') })))
}
