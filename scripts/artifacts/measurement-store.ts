/** Remembers what was measured of files, so that the next run need not read them: they are some hundred megabytes, and seldom change. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Returns what was measured of the files (absolute paths), or measures them. `subject` names the measurement, and the value has to survive JSON. */
export type MeasurementStore = <T>(
  subject: string,
  paths: readonly string[],
  measure: () => T | Promise<T>,
) => Promise<T>

/** A file that was written so short a time ago may be written again within one tick of its file system's clock. */
const SETTLED_MS = 2000

/**
 * The state of the files: whoever writes to one, replaces it or changes its mode moves its change time, which nobody can set. `isSettled`
 * is false while one of them is too young for that to be told.
 */
function stateOf(paths: readonly string[], nowMs: number): Readonly<{ state: string; isSettled: boolean }> {
  const settledMs = nowMs - SETTLED_MS
  let isSettled = true
  const rows = paths.map((path) => {
    const { dev, ino, mode, size, mtimeMs, ctimeMs } = statSync(path)
    if (Math.max(mtimeMs, ctimeMs) > settledMs) isSettled = false
    return `${path} ${dev} ${ino} ${mode} ${size} ${mtimeMs} ${ctimeMs}`
  })
  return { state: hash('sha256', rows.join('\n')), isSettled }
}

function readRemembered(path: string): Readonly<{ state?: unknown; value?: unknown }> | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null // absent, damaged, or another account's
  }
}

function remember(folder: string, path: string, content: string): void {
  try {
    mkdirSync(folder, { recursive: true })
    const fresh = `${path}.${process.pid}`
    writeFileSync(fresh, content)
    renameSync(fresh, path)
  } catch {
    // A folder that can't be written to: the next run measures again.
  }
}

/** Remembers nothing. */
export const forgetful: MeasurementStore = async (_subject, _paths, measure) => await measure()

/**
 * Returns the store of a clone, in the launcher's folder; a release on a server has none and is never written to. The files' state is
 * read before they are measured: what is written to them meanwhile belongs to another state.
 */
export function measurementStore(root: string, nowMs: () => number): MeasurementStore {
  const launcherFolder = join(root, '.tappass')
  if (!existsSync(launcherFolder)) return forgetful
  const folder = join(launcherFolder, 'measured')
  return async <T>(subject: string, paths: readonly string[], measure: () => T | Promise<T>) => {
    const { state, isSettled } = stateOf(paths, nowMs())
    const path = join(folder, `${hash('sha256', subject)}.json`)
    const remembered = readRemembered(path)
    if (remembered?.state === state) return remembered.value as T
    const value = await measure()
    if (isSettled) remember(folder, path, JSON.stringify({ state, value }))
    return value
  }
}
