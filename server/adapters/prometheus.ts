/** The meter: counts and measures what happens, by the table of metrics, and gives all of it as text when it is asked. */
import { STATUS_CODES } from 'node:http'
import { collectDefaultMetrics, Registry } from 'prom-client'
import type { AnsweredRequest } from '../core/answered-request.ts'
import type { Meter } from '../core/ports.ts'
import { type Family, type Form, formatFamilies, labelled } from '../observability/exposition.ts'
import { bucketsOf, METRICS, type MetricName, type NameOf } from '../observability/metric-table.ts'
import { type Exemplar, HistogramSeries, NumberSeries } from '../observability/series.ts'

/** A meter whose values can be read. */
export type Prometheus = Meter &
  Readonly<{
    /** Counts and measures an HTTP request. */
    countHttp: (request: AnsweredRequest) => void
    /** Adds to a value that only rises. */
    add: (name: NameOf<'counter'>, value: number, ...labels: readonly string[]) => void
    /** Sets a value that goes up and down. */
    gauge: (name: NameOf<'gauge'>, value: number, ...labels: readonly string[]) => void
    /** Forgets all values of one, which is not known any more. */
    forget: (name: NameOf<'gauge'>) => void
    /** Each time before values are read, `read` is called; what it throws is no reason not to read the others. */
    beforeReading: (read: () => unknown) => void
    /** All metrics with their values now. */
    families: () => Promise<readonly Family[]>
    /** The same as text, with those of `others`. */
    render: (form: Form, others?: readonly Family[]) => Promise<string>
  }>

/** The label that tells several gateways behind one address apart. */
export const GATEWAY_LABEL = 'gateway'

/** Methods that a route has; the parser of HTTP knows three dozen more. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'])

type OwnSeries = Readonly<{ numbers: Map<string, NumberSeries>; histograms: Map<string, HistogramSeries> }>

function createSeries(): OwnSeries {
  const numbers = new Map<string, NumberSeries>()
  const onDropped = (): void => numbers.get('tappass_metrics_dropped_total')?.add([], 1)
  const histograms = new Map<string, HistogramSeries>()
  for (const [name, { type, labels }] of Object.entries(METRICS)) {
    if (type === 'histogram') histograms.set(name, new HistogramSeries(labels, bucketsOf(name), onDropped))
    else numbers.set(name, new NumberSeries(labels, onDropped))
  }
  return { numbers, histograms }
}

function ownFamilies({ numbers, histograms }: OwnSeries): readonly Family[] {
  return Object.entries(METRICS).map(([name, { help, type }]) => ({
    ...{ name, help, type },
    values: histograms.get(name)?.values(name) ?? numbers.get(name)?.values() ?? [],
  }))
}

/**
 * Creates a meter with a registry of its own, so that two gateways in one process do not share metrics. `gateway` names this process; `nowMs` is the time of
 * exemplars.
 */
export function createPrometheus(gateway: string, nowMs: () => number): Prometheus {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'tappass_' })
  const series = createSeries()
  const number = (name: MetricName): NumberSeries => series.numbers.get(name) as NumberSeries
  const histogram = (name: MetricName): HistogramSeries => series.histograms.get(name) as HistogramSeries
  const [requests, durations] = [
    number('tappass_http_requests_total'),
    histogram('tappass_http_request_duration_seconds'),
  ]
  const tokens = number('tappass_capability_tokens_total')
  for (const outcome of ['minted', 'denied', 'expired']) tokens.set([outcome], 0)
  number('tappass_ledger_lost_entries_total').set([], 0)
  number('tappass_policy_failures_total').set([], 0)
  number('tappass_metrics_dropped_total').set([], 0)
  for (const outcome of ['exported', 'dropped', 'failed']) number('tappass_trace_spans_total').set([outcome], 0)
  const readers: (() => unknown)[] = []
  const families = async (): Promise<readonly Family[]> => {
    await Promise.allSettled(readers.map(async (read) => read()))
    const ofProcess = ((await registry.getMetricsAsJSON()) as unknown as readonly Family[]).filter(isWellNamed)
    return labelled([...ownFamilies(series), ...ofProcess], GATEWAY_LABEL, gateway)
  }
  return {
    add: (name, value, ...labels) => number(name).add(labels, value),
    gauge: (name, value, ...labels) => number(name).set(labels, value),
    forget: (name) => number(name).clear(),
    count: (name, ...labels) => number(`tappass_${name}_total`).add(labels, 1),
    observe: (name, seconds, ...labels) => histogram(`tappass_${name}`).observe(labels, seconds),
    countHttp: ({ method: named, path, status, seconds, traceId }) => {
      const method = METHODS.has(named) ? named : '(other)'
      requests.add([method, path, statusLabel(status)], 1)
      durations.observe(
        [method, path],
        seconds,
        traceId === undefined ? undefined : exemplarOf(traceId, seconds, nowMs),
      )
    },
    beforeReading: (read) => void readers.push(read),
    families,
    render: async (form, others = []) => formatFamilies([...(await families()), ...others], form),
  }
}

/** prom-client has three sums of others as gauges whose names say that they only rise. */
function isWellNamed({ name, type }: Family): boolean {
  return type === 'counter' || !name.endsWith('_total')
}

function exemplarOf(traceId: string, value: number, nowMs: () => number): Exemplar {
  return { labelSet: { trace_id: traceId }, value, timestamp: nowMs() / 1000 }
}

/** A model server may answer with any number: what is not registered is its class. */
function statusLabel(status: number): string {
  return status in STATUS_CODES || status === 499 ? String(status) : `${Math.trunc(status / 100)}xx`
}
