/** Runs server/migrate.ts as operators and units do: as a process, with settings in the environment. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** What the process said. `json` is its standard output, parsed, where `--json` was asked for. */
export type MigrateOutput = Readonly<{ code: number | null; stdout: string; stderr: string }>

/** Starts it; `settings` are all that its environment holds. */
export function startMigrate(
  settings: Readonly<Record<string, string>>,
  ...words: readonly string[]
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [join(root, 'server/migrate.ts'), ...words], { env: { ...settings } })
}

/** Runs it to its end. */
export async function migrate(
  settings: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<MigrateOutput> {
  const child = startMigrate(settings, ...words)
  const said: [string, string] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    said[0] += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said[1] += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout: said[0], stderr: said[1] }
}

/** The same with `--json`: its answer as a value. */
export async function migrateJson(
  settings: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<Readonly<{ code: number | null; answer: Readonly<Record<string, unknown>> }>> {
  const { code, stdout, stderr } = await migrate(settings, ...words, '--json')
  try {
    return { code, answer: JSON.parse(stdout) as Record<string, unknown> }
  } catch (cause) {
    throw new Error(`not JSON: ${stdout}${stderr}`, { cause })
  }
}

/** A copy of the release's migrations up to a version, in a folder that a test may change. */
export async function copyMigrations(versionMax: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tappass-migrations-'))
  const names = (await readdir(join(root, 'migrations'))).filter((name) => Number(name.slice(0, 3)) <= versionMax)
  for (const name of names) await cp(join(root, 'migrations', name), join(folder, name))
  made.push(folder)
  return folder
}

const made: string[] = []

/** Removes every folder that was copied. */
export async function removeCopies(): Promise<void> {
  await Promise.all(made.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
}
