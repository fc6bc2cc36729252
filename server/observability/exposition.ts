/** Metrics as text: families of series, whether measured here or read from a file, in Prometheus' form or in OpenMetrics'. */
import { type Metric as ClientMetric, Registry } from 'prom-client'
import type { SeriesValue } from './series.ts'

/** A metric with its values. */
export type Family = Readonly<{ name: string; help: string; type: string; values: readonly SeriesValue[] }>

/** The two forms: `exemplars` stand in OpenMetrics only. */
export type Form = 'text' | 'openmetrics'

const CONTENT_TYPES = {
  text: Registry.PROMETHEUS_CONTENT_TYPE,
  openmetrics: Registry.OPENMETRICS_CONTENT_TYPE,
} as const

/** Given the header `accept`, returns the form that is sent: OpenMetrics to who asks for it. */
export function formFor(accept: string | undefined): Form {
  return accept?.includes('application/openmetrics-text') ? 'openmetrics' : 'text'
}

/** Returns the type of what `formatFamilies` gives. */
export function contentTypeOf(form: Form): string {
  return CONTENT_TYPES[form]
}

/**
 * Writes families as text. prom-client does it, with a registry for each time: one that has once written OpenMetrics has other names for its
 * counters from then on.
 */
export async function formatFamilies(families: readonly Family[], form: Form): Promise<string> {
  const registry = new Registry()
  registry.setContentType(CONTENT_TYPES[form] as typeof Registry.PROMETHEUS_CONTENT_TYPE)
  for (const family of families) registry.registerMetric(asClientMetric(family))
  return registry.metrics()
}

/** What a registry asks of a metric when it writes: its name, which it may change, and its values. */
function asClientMetric({ name: given, ...family }: Family): ClientMetric {
  const metric = { name: given, type: family.type, get: async () => ({ ...family, name: metric.name }) }
  return metric as unknown as ClientMetric
}

/** Adds a label to every series that has none of that name. */
export function labelled(families: readonly Family[], label: string, value: string): readonly Family[] {
  return families.map((family) => ({
    ...family,
    values: family.values.map((each) => ({ ...each, labels: { [label]: value, ...each.labels } })),
  }))
}

/** Lines of one file that are read at most. */
const LINES_MAX = 2000
const SAMPLE = /^(tappass_[a-z_]+)(?:\{(.*)\})? (-?[\d.]+(?:e[+-]?\d+)?)$/i
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)",?/gy

/** Reads gauges in Prometheus' text form, as the jobs of a host leave them for node exporter. Lines of another form are left out. */
export function parseGauges(text: string): readonly Family[] {
  const helps = new Map<string, string>()
  const values = new Map<string, SeriesValue[]>()
  for (const line of text.split('\n').slice(0, LINES_MAX)) {
    const [, helped, help = ''] = /^# HELP (\S+) (.+)$/.exec(line) ?? []
    if (helped !== undefined) helps.set(helped, help)
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
    if (name === undefined) continue
    values.set(name, [...(values.get(name) ?? []), { labels: parseLabels(labels), value: Number(value) }])
  }
  return [...values].map(([name, list]) => ({ name, help: helps.get(name) ?? name, type: 'gauge', values: list }))
}

function parseLabels(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, unquoted(value)]))
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_all, letter: string) => (letter === 'n' ? '\n' : letter))
}
