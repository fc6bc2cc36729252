/**
 * The process of drills, as root (units/tappass-drill.service, and the toolkit for all but `monthly`):
 *   list                          prints the drills with the last figures of each, as JSON
 *   monthly                       does those that touch nothing, one after the other
 *   NAME                          does that one
 * A drill is a file of server/drills. Exit codes: 0 the goal was reached, 1 it was missed or the drill failed, 5 there is nothing to be drilled, 64 usage.
 */
import { chmod, mkdir, readdir, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { EXIT_CODE, type ExitCode } from '../contract/exit-code.ts'
import { HOST_PATH } from '../contract/path.ts'
import { runProgram } from './adapters/program.ts'
import { type Drill, type DrillContext, type DrillResult, isReached, NotHere } from './drill/drill.ts'
import { addEntry, type DrillEntry, drillLines, entryOf, lastMeasured, readLog } from './drill/drill-log.ts'
import { listDrills, metricsText } from './drill/report.ts'
import { type BackupHost, pathOn } from './recovery/backup-host.ts'
import { containerHost, HOST_OPTIONS } from './recovery/container-host.ts'

const DRILL_FOLDER = join(import.meta.dirname, 'drills')

/** What was asked for. `folder` is that of the log; drills work in one within it. */
type Request = Readonly<{ host: BackupHost; folder: string; isJson: boolean; drills: readonly Drill[] }>

function log(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Every file of the folder is a drill. */
async function loadDrills(): Promise<readonly Drill[]> {
  const names = (await readdir(DRILL_FOLDER)).filter((name) => name.endsWith('.ts')).toSorted()
  return await Promise.all(
    names.map(async (name) => ((await import(join(DRILL_FOLDER, name))) as { drill: Drill }).drill),
  )
}

async function writeMetrics({ folder, drills }: Request): Promise<void> {
  const partial = join(folder, '.metrics')
  await writeFile(partial, metricsText(listDrills(drills, await readLog(folder))))
  // Whatever the mask of the unit: node exporter has an account of its own.
  await chmod(partial, 0o644)
  await rename(partial, join(folder, 'tappass-drill.prom'))
}

/** Returns what it measured, or why it failed. Rejects with `NotHere`: then there is nothing that failed. */
async function resultOf(drill: Drill, context: DrillContext): Promise<DrillResult | Readonly<{ problem: string }>> {
  try {
    return await drill.run(context)
  } catch (error) {
    if (error instanceof NotHere) throw error
    return { problem: (error as Error).message }
  }
}

async function perform(request: Request, drill: Drill): Promise<DrillEntry> {
  const { host, folder, isJson } = request
  const at = new Date(host.clock.nowMs()).toISOString()
  const context = { host, folder: join(folder, 'scratch'), clock: host.clock, run: runProgram }
  const result = await resultOf(drill, context)
  const about = { drill: drill.name, at, release: basename(host.release), goal: drill.goal }
  const entry = entryOf(about, result, (figures) => isReached(figures, drill.goal))
  const last = lastMeasured(await readLog(folder), drill.name)
  await addEntry(folder, entry)
  await writeMetrics(request)
  if (isJson) log(JSON.stringify({ ...entry, last: last ?? null }))
  else for (const line of drillLines(entry, last)) log(line)
  return entry
}

/** One that fails keeps none of the others from being done. */
async function performAll(request: Request, drills: readonly Drill[]): Promise<ExitCode> {
  let code: ExitCode = EXIT_CODE.upToDate
  for (const drill of drills) {
    try {
      const { outcome } = await perform(request, drill)
      if (outcome !== 'reached') code = EXIT_CODE.failed
    } catch (error) {
      if (!(error instanceof NotHere)) throw error
      process.stderr.write(`drill ${drill.name}: ${error.message}\n`)
      if (code === EXIT_CODE.upToDate) code = EXIT_CODE.refused
    }
  }
  return code
}

async function list({ folder, drills }: Request): Promise<ExitCode> {
  log(JSON.stringify(listDrills(drills, await readLog(folder))))
  return EXIT_CODE.upToDate
}

async function main(argv: readonly string[]): Promise<ExitCode> {
  const options = { ...HOST_OPTIONS, json: { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
  const host = containerHost(values, () => undefined)
  const drills = await loadDrills()
  const folder = pathOn(host, HOST_PATH.drillFolder)
  const request: Request = { host, folder, isJson: values.json === true, drills }
  const [action = '', ...others] = positionals
  if (others.length === 0 && action === 'list') return await list(request)
  const chosen = drills.filter(({ name, touches }) => (action === 'monthly' ? touches === 'nothing' : name === action))
  if (others.length > 0 || chosen.length === 0) {
    process.stderr.write(
      `tappass-drill: usage: ${basename(import.meta.filename)} list|monthly|${drills.map(({ name }) => name).join('|')}\n`,
    )
    return EXIT_CODE.usage
  }
  await mkdir(folder, { recursive: true, mode: 0o755 })
  return await performAll(request, chosen)
}

if (import.meta.main) {
  // Whoever reads may be gone: what was begun goes on to its end.
  process.stdout.on('error', () => undefined)
  process.exitCode = await main(process.argv.slice(2)).catch((error: Error) => {
    process.stderr.write(`tappass-drill: ${error.message}\n`)
    return EXIT_CODE.failed
  })
}
