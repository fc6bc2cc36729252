/**
 * Counters and durations in Prometheus' text format (tappass.md §1.5). Label values are few and our own: never a
 * client's text.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Meter } from '../core/ports.ts'
import { createHistogram } from '../observability/histogram.ts'

/** A meter whose values can be read, and that also counts HTTP requests. */
export type Prometheus = Meter &
  Readonly<{
    countHttp: (method: string, path: string, status: number) => void
    /** Returns the text of `/metrics`. The caller counts `activeAgents`. */
    render: (activeAgents: number) => Promise<string>
    contentType: string
    /** Sets a value that goes up and down. */
    gauge: (name: GaugeName, value: number, labels?: Readonly<Record<string, string>>) => void
    countLost: (entries: number) => void
    countSvidRefusal: (credential: string, reason: string) => void
  }>

/** Values that go up and down. Those of SPIFFE identities are there from when they are first set. */
const GAUGES = {
  ledger_alarm: {
    help: '1 while a checkpoint is missing, or the database lacks what was signed',
    labelNames: ['kind'],
  },
  ledger_checkpoint_overdue_seconds: { help: 'Time since an entry was written that no checkpoint covers' },
  svid_expiry_seconds: { help: "Time until the gateway's own SVID expires" },
  svid_bundle_age_seconds: { help: 'Time since the trust bundle was last written' },
  svid_problem: { help: '1 while files of the SVID folder are not taken, or the SVID has expired' },
}

type GaugeName = keyof typeof GAUGES

/** Upper bounds of the buckets, for durations from tens of microseconds to seconds. */
const SECONDS = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5]

/** Creates a registry of its own, so that two gateways in one process do not share metrics. */
export function createPrometheus(): Prometheus {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'tappass_' })
  const counter = (name: string, help: string, labelNames: string[]): Counter =>
    new Counter({ name, help, labelNames, registers })
  const http = counter('tappass_http_requests_total', 'HTTP requests', ['method', 'path', 'status'])
  const counters = {
    judgements: counter('tappass_judgements_total', 'Judgements by stage and action', ['stage', 'action']),
    pipeline_blocks: counter('tappass_pipeline_blocks_total', 'Calls that policy refused, by the step that saw why', [
      'step',
    ]),
    pii_detections: counter('tappass_pii_detections_total', 'Personal data found, by type', ['type']),
  }
  const histograms = { step_seconds: createHistogram(SECONDS), ledger_seconds: createHistogram(SECONDS) }
  const tokens = counter('tappass_capability_tokens_total', 'Capability tokens by outcome', ['outcome'])
  for (const outcome of ['minted', 'denied', 'expired']) tokens.inc({ outcome }, 0)
  const agents = new Gauge({ name: 'tappass_active_agents', help: 'Agents that are active', registers })
  const gauges = new Map<GaugeName, Gauge>()
  const gaugeOf = (name: GaugeName): Gauge => {
    const gauge = gauges.get(name) ?? new Gauge({ name: `tappass_${name}`, ...GAUGES[name], registers })
    gauges.set(name, gauge)
    return gauge
  }
  gaugeOf('ledger_alarm')
  gaugeOf('ledger_checkpoint_overdue_seconds')
  let svidRefusals: Counter | undefined
  const lost = counter('tappass_ledger_lost_entries_total', 'Entries of grouped mode that were not written', [])
  return {
    gauge: (name, value, labels = {}) => gaugeOf(name).set(labels, value),
    countLost: (entries) => lost.inc(entries),
    countSvidRefusal: (credential, reason) => {
      svidRefusals ??= counter('tappass_svid_refusals_total', 'SVIDs that were refused', ['credential', 'reason'])
      svidRefusals.inc({ credential, reason })
    },
    count: (name, labels) => counters[name].inc(labels),
    observe: (name, label, value) => histograms[name].observe(label, value),
    countHttp: (method, path, status) => http.inc({ method, path, status: String(status) }),
    render: async (activeAgents) => {
      agents.set(activeAgents)
      const steps = histograms.step_seconds.render('tappass_step_seconds', 'Time that a step took', 'step')
      const ledger = histograms.ledger_seconds.render('tappass_ledger_seconds', 'Time until an entry was durable', '')
      return (await registry.metrics()) + steps + ledger
    },
    contentType: registry.contentType,
  }
}
