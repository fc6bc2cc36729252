/** Drills of a host with their last figures, as a table; and what `status` says of them. */
import { durationText } from '../../contract/duration.ts'
import type { Condition } from './condition.ts'
import { renderTable } from './text-table.ts'

/** A drill as it went. The figures are null where it failed; then `notes` say why. */
export type DrillEntry = Readonly<{
  drill: string
  at: string
  outcome: 'reached' | 'missed' | 'failed'
  rtoMs: number | null
  rpoMs: number | null
  notes: readonly string[]
}>

/** A drill that the release of a host has, with the last time that it was done there. */
export type ListedDrill = Readonly<{
  name: string
  summary: string
  touches: 'nothing' | 'service'
  effect: string
  goal: Readonly<{ rtoMs: number; rpoMs: number }>
  last: DrillEntry | null
}>

function figureText(ms: number | null | undefined, goalMs: number): string {
  return `${ms === null || ms === undefined ? '–' : durationText(ms)} (≤ ${goalMs === 0 ? '0' : durationText(goalMs)})`
}

/** Returns the table. Pure. */
export function listLines(drills: readonly ListedDrill[]): string {
  return renderTable([
    ['DRILL', 'TOUCHES', 'LAST', 'OUTCOME', 'RTO (GOAL)', 'RPO (GOAL)', 'WHAT'],
    ...drills.map(({ name, touches, goal, last, summary }) => [
      ...[name, touches === 'service' ? 'the service' : 'nothing', last?.at.slice(0, 16) ?? 'never'],
      ...[last?.outcome ?? '–', figureText(last?.rtoMs, goal.rtoMs), figureText(last?.rpoMs, goal.rpoMs), summary],
    ]),
  ])
}

function entriesOf(lines: readonly string[]): readonly DrillEntry[] {
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as DrillEntry]
    } catch {
      return []
    }
  })
}

/** Returns the conditions from lines of the log: the last time of each drill. One that failed or missed its goal is not well. None without a drill. Pure. */
export function judgeDrills(lines: readonly string[]): readonly Condition[] {
  const last = new Map(entriesOf(lines).map((entry) => [entry.drill, entry]))
  return [...last.values()].map(({ drill, at, outcome, rtoMs, notes }) => {
    const state = `${drill} ${at.slice(0, 10)}: ${outcome === 'failed' ? `failed: ${notes[0] ?? ''}` : `${outcome} its goal, RTO ${durationText(rtoMs ?? 0)}`}`
    return { name: 'drill', state, isWell: outcome === 'reached' }
  })
}
