/** The tables of docs/reference/metrics.md, made from what a gateway really registers and what the jobs of a host write. */

import { DRIFT_METRICS } from '../../../scripts/drift/report.ts'
import { createPrometheus } from '../../../server/adapters/prometheus.ts'
import { DRILL_METRICS } from '../../../server/drill/report.ts'
import { CHECK_METRICS } from '../../../server/housekeeping/report.ts'
import { bucketsOf, METRICS, unitOf } from '../../../server/observability/metric-table.ts'

/** A metric as the page, alerts and dashboards know it. */
export type ListedMetric = Readonly<{ name: string; type: string; help: string; labels: readonly string[] }>

const LAST_RUN = { name: 'tappass_check_last_run_timestamp_seconds', help: 'When the check was made.' }

const gauges = (list: readonly Readonly<{ name: string; help: string }>[], ...labels: readonly string[]) =>
  list.map(({ name, help }): ListedMetric => ({ name, type: 'gauge', help: help.replace(/\.$/, ''), labels }))

/** What the gateway measures itself, what Node tells of its process, and what jobs of a host leave. */
export async function listMetrics(): Promise<Readonly<Record<'own' | 'process' | 'jobs', readonly ListedMetric[]>>> {
  const registered = await createPrometheus('1', () => 0).families()
  const own = registered.filter(({ name }) => name in METRICS)
  const labels: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
    Object.entries(METRICS).map(([name, metric]) => [name, metric.labels]),
  )
  const listed = ({ name, type, help }: Omit<ListedMetric, 'labels'>): ListedMetric => ({
    ...{ name, type, help: help.replace(/\.$/, '').replaceAll('\n', ' ') },
    labels: ['gateway', ...(labels[name] ?? [])],
  })
  const ofProcess = registered.filter(({ name }) => !(name in METRICS)).map(listed)
  return {
    own: own.map(listed),
    process: ofProcess.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    jobs: [
      ...gauges(CHECK_METRICS, 'check', 'subject'),
      ...gauges([LAST_RUN]),
      ...gauges(DRIFT_METRICS),
      ...gauges(DRILL_METRICS, 'drill'),
    ],
  }
}

const END = '<!-- end of metrics -->'
const startOf = (what: string): string =>
  `<!-- metrics: ${what}; written by test/server/observability/write-metrics.ts -->`

const rowOf = ({ name, type, help, labels }: ListedMetric): string => {
  const shown = labels.filter((label) => label !== 'gateway').map((label) => `\`${label}\``)
  return `| \`${name}\` | ${type} | ${shown.join(', ')} | ${unitOf(name)} | ${help} |`
}

const tableOf = (metrics: readonly ListedMetric[]): string =>
  ['| metric | type | labels | unit | what it says |', '|---|---|---|---|---|', ...metrics.map(rowOf)].join('\n')

const bucketTable = (): string => {
  const names = Object.entries(METRICS).flatMap(([name, { type }]) => (type === 'histogram' ? [name] : []))
  const rows = names.map((name) => `| \`${name}\` | ${bucketsOf(name).join(', ')} |`)
  return ['| histogram | upper bounds of its buckets (seconds) |', '|---|---|', ...rows].join('\n')
}

/** Takes the text of the page, returns it with the tables of today. Throws when the marks of a table are missing. */
export async function withMetrics(page: string): Promise<string> {
  const lists = await listMetrics()
  const tables = [...Object.entries(lists).map(([what, list]) => [what, tableOf(list)]), ['buckets', bucketTable()]]
  return tables.reduce((text, [what = '', table = '']) => {
    const start = text.indexOf(startOf(what))
    const end = text.indexOf(END, start)
    if (start < 0 || end < 0) throw new Error(`docs/reference/metrics.md lacks ${startOf(what)} … ${END}`)
    return `${text.slice(0, start)}${startOf(what)}\n\n${table}\n\n${text.slice(end)}`
  }, page)
}
