/** Drills with the last figures of each: for the toolkit, and as metrics for node exporter. */
import type { Drill } from './drill.ts'
import type { DrillEntry } from './drill-log.ts'

/** A drill with its last entry, as the toolkit gets it. */
export type ListedDrill = Pick<Drill, 'name' | 'summary' | 'touches' | 'effect' | 'goal'> &
  Readonly<{ last: DrillEntry | null }>

/** Returns the drills with the newest entry of each. Pure. */
export function listDrills(drills: readonly Drill[], entries: readonly DrillEntry[]): readonly ListedDrill[] {
  return drills.map(({ name, summary, touches, effect, goal }) => {
    const last = entries.findLast(({ drill }) => drill === name) ?? null
    return { name, summary, touches, effect, goal, last }
  })
}

/** A metric, and what of an entry is its value. */
export type Metric = Readonly<{ name: string; help: string; value: (entry: DrillEntry) => number | null }>

/** One a figure of a drill. */
export const DRILL_METRICS: readonly Metric[] = [
  {
    name: 'tappass_drill_reached',
    help: 'Whether the last drill reached its goal (1), or missed it or failed (0).',
    value: ({ outcome }) => (outcome === 'reached' ? 1 : 0),
  },
  {
    name: 'tappass_drill_rto_seconds',
    help: 'How long it took until a call was answered again.',
    value: ({ rtoMs }) => (rtoMs === null ? null : rtoMs / 1000),
  },
  {
    name: 'tappass_drill_rpo_seconds',
    help: 'How old the oldest thing is that would be gone.',
    value: ({ rpoMs }) => (rpoMs === null ? null : rpoMs / 1000),
  },
  { name: 'tappass_drill_timestamp_seconds', help: 'When it was done.', value: ({ at }) => Date.parse(at) / 1000 },
]

/** Returns the text that node exporter's textfile collector reads. Pure. */
export function metricsText(listed: readonly ListedDrill[]): string {
  return DRILL_METRICS.map(({ name, help, value }) => {
    const rows = listed.flatMap(({ name: drill, last }) => {
      const number = last === null ? null : value(last)
      return number === null ? [] : [`${name}{drill="${drill}"} ${number}\n`]
    })
    return rows.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${rows.join('')}`
  }).join('')
}
