/** What ports tell while they work goes into the log and the metrics. */
import type { FastifyBaseLogger } from 'fastify'
import type { Prometheus } from '../adapters/prometheus.ts'
import type { PortEvents } from './open-ports.ts'

/** Creates what ports call. */
export function createPortEvents(meter: Pick<Prometheus, 'add'>, log: FastifyBaseLogger): PortEvents {
  return {
    connectionLost: (err) => log.warn({ err }, 'redis'),
    policyFault: (err) => log.warn({ err }, 'opa'),
    spans: (count, outcome) => meter.add('tappass_trace_spans_total', count, outcome),
    traceFault: (err) => log.warn({ err }, 'traces are not delivered'),
    lost: (entries, err) => {
      meter.add('tappass_ledger_lost_entries_total', entries)
      log.error({ err, entries }, 'entries were not written')
    },
  }
}
