/** The log of drills on a host: a line of JSON for each, the newest last. What the last figures were, and how the newest compare. */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { durationText } from '../../contract/duration.ts'
import { replaceFile } from '../backups/set-file.ts'
import type { DrillResult, Figures } from './drill.ts'

const MS = v.pipe(v.number(), v.integer(), v.minValue(0))
const ENTRY = v.object({
  drill: v.string(),
  at: v.pipe(v.string(), v.isoTimestamp()),
  release: v.string(),
  outcome: v.picklist(['reached', 'missed', 'failed']),
  rtoMs: v.nullable(MS),
  rpoMs: v.nullable(MS),
  goal: v.object({ rtoMs: MS, rpoMs: MS }),
  steps: v.array(v.object({ what: v.string(), ms: MS })),
  notes: v.array(v.string()),
})

/** A drill as it went. `rtoMs` and `rpoMs` are null where it failed; then `notes` say why. */
export type DrillEntry = Readonly<v.InferOutput<typeof ENTRY>>

/** Of each drill so many are kept: ten years of a monthly one. */
const ENTRIES_MAX = 120

const FILE = 'log.jsonl'

/** Returns the entries in a text; a line that is none (a power cut) is left out. Pure. */
export function parseLog(text: string): readonly DrillEntry[] {
  return text.split('\n').flatMap((line) => {
    try {
      const { success, output } = v.safeParse(ENTRY, JSON.parse(line))
      return success ? [output] : []
    } catch {
      return []
    }
  })
}

/** Returns the entries with a further one; the oldest of the same drill go. Pure. */
export function withEntry(entries: readonly DrillEntry[], entry: DrillEntry): readonly DrillEntry[] {
  const all = [...entries, entry]
  const surplus = all.filter(({ drill }) => drill === entry.drill).slice(0, -ENTRIES_MAX)
  return all.filter((each) => !surplus.includes(each))
}

/** Reads the log in that folder, the oldest entry first; empty without one. */
export async function readLog(folder: string): Promise<readonly DrillEntry[]> {
  return parseLog(await readFile(join(folder, FILE), 'utf8').catch(() => ''))
}

/** Adds an entry to the log: the file is replaced as a whole. */
export async function addEntry(folder: string, entry: DrillEntry): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o755 })
  const entries = withEntry(await readLog(folder), entry)
  await replaceFile(join(folder, FILE), entries.map((each) => `${JSON.stringify(each)}\n`).join(''))
}

function figureLine(name: string, ms: number, goalMs: number, lastMs: number | null | undefined): string {
  const last = lastMs === undefined || lastMs === null ? 'no earlier one' : `last time ${durationText(lastMs)}`
  const goal = goalMs === 0 ? '0' : `at most ${durationText(goalMs)}`
  return `  ${name}  ${durationText(ms).padEnd(9)} goal: ${goal}${ms <= goalMs ? '' : ', MISSED'}; ${last}`
}

/** Returns what is told of a drill that was done, beside the last one before it that has figures. Pure. */
export function drillLines(
  { drill, goal, notes, outcome, rtoMs, rpoMs, steps }: DrillEntry,
  last?: Figures | DrillEntry,
): readonly string[] {
  if (rtoMs === null || rpoMs === null) return [`drill ${drill}: failed`, ...notes.map((note) => `  ${note}`)]
  const width = Math.max(0, ...steps.map(({ what }) => what.length))
  return [
    `drill ${drill}: ${outcome}`,
    ...steps.map(({ what, ms }) => `  ${what.padEnd(width)}  ${durationText(ms)}`),
    figureLine('RTO', rtoMs, goal.rtoMs, last?.rtoMs),
    figureLine('RPO', rpoMs, goal.rpoMs, last?.rpoMs),
    ...notes.map((note) => `  note: ${note}`),
  ]
}

/** Returns the newest entry of that drill with figures; undefined without one. Pure. */
export function lastMeasured(entries: readonly DrillEntry[], name: string): DrillEntry | undefined {
  return entries.findLast(({ drill, rtoMs }) => drill === name && rtoMs !== null)
}

/** Returns the entry of a drill that was done, or failed with that reason. Pure. */
export function entryOf(
  about: Pick<DrillEntry, 'drill' | 'at' | 'release' | 'goal'>,
  result: DrillResult | Readonly<{ problem: string }>,
  isWithinGoal: (figures: Figures) => boolean,
): DrillEntry {
  if ('problem' in result)
    return { ...about, outcome: 'failed', rtoMs: null, rpoMs: null, steps: [], notes: [result.problem] }
  const { rtoMs, rpoMs, steps, notes } = result
  const outcome = isWithinGoal(result) ? 'reached' : 'missed'
  return { ...about, outcome, rtoMs, rpoMs, steps: [...steps], notes: [...notes] }
}
