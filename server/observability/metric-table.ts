/**
 * Every metric of the gateway, one row each: what docs/reference/metrics.md, alerts and dashboards are held to. Names are Prometheus' own form: base
 * units (`_seconds`, `_bytes`), `_total` for what only rises. No label has a client's text: a route's pattern, a step, a family.
 */

/** A metric; `labels` are the names of its labels, beside `gateway`, which all have. */
export type Metric = Readonly<{
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  labels?: readonly string[]
}>

const counter = (help: string, ...labels: readonly string[]) => ({ type: 'counter', help, labels }) as const
const gauge = (help: string, ...labels: readonly string[]) => ({ type: 'gauge', help, labels }) as const
const histogram = (help: string, ...labels: readonly string[]) => ({ type: 'histogram', help, labels }) as const

/** By name. */
export const METRICS = {
  tappass_build_info: gauge('1; what runs', 'version', 'revision', 'node', 'policy'),
  tappass_ready: gauge('Whether it can serve (1): `/health` answers 200'),
  tappass_dependency_up: gauge('Whether what calls depend on answers (1)', 'dependency'),
  tappass_dependency_check_seconds: gauge('How long its answer took, when it was asked last', 'dependency'),
  tappass_clock_timestamp_seconds: gauge('The time of this machine'),
  tappass_license_expires_timestamp_seconds: gauge('The end of the license; none without one that ends'),

  tappass_http_requests_total: counter(
    'Requests by the pattern of their route and by status; 499: the client went away before there was an answer',
    'method',
    'path',
    'status',
  ),
  tappass_http_request_duration_seconds: histogram(
    'Time of a request, to the last byte of its answer: of a stream, too',
    'method',
    'path',
  ),
  tappass_http_requests_in_flight: gauge('Requests that are being answered'),
  tappass_http_streams_open: gauge('Streams that are being sent'),

  tappass_judgements_total: counter('Judgements by stage and action', 'stage', 'action'),
  tappass_pipeline_seconds: histogram(
    'Time of a judgement: steps, policy, enforcement, durable entry; of a stream, one of its batches',
    'stage',
  ),
  tappass_step_seconds: histogram('Time that a step took', 'step'),
  tappass_step_failures_total: counter('Steps that failed; the default policy refuses the call', 'step'),
  tappass_policy_seconds: histogram('Time of a decision of the policy'),
  tappass_policy_failures_total: counter('Decisions that the policy engine did not give; the call is refused'),
  tappass_pipeline_blocks_total: counter('Calls that policy refused, by the step that saw why', 'step'),
  tappass_pii_detections_total: counter('Personal data found, by type', 'type'),
  tappass_inspections_pending: gauge('Large bodies that other threads look through, or that wait for it'),
  tappass_inspection_oldest_seconds: gauge('How long the oldest of them has been there'),

  tappass_upstream_requests_total: counter(
    'Requests to model servers by the class of their answer (`2xx` …), or `failed`',
    'upstream',
    'outcome',
  ),
  tappass_upstream_seconds: histogram('Time until a model server began to answer', 'upstream'),
  tappass_upstream_connections: gauge('Connections to model servers', 'upstream', 'state'),
  tappass_upstream_connections_max: gauge('Connections to a model server that there may be', 'upstream'),
  tappass_upstream_requests_waiting: gauge('Requests that wait for a connection to a model server', 'upstream'),

  tappass_ledger_seconds: histogram('Time until an entry was durable'),
  tappass_ledger_appends_total: counter('Entries of calls by outcome: `recorded`, or `failed` (refused)', 'outcome'),
  tappass_ledger_lost_entries_total: counter('Entries of grouped mode that were not written'),
  tappass_ledger_entries_pending: gauge('Entries and changes that are not durable yet'),
  tappass_ledger_lag_seconds: gauge('How long the oldest of them has been waiting'),
  tappass_ledger_alarm: gauge('1 while a checkpoint is missing, or the database lacks what was signed', 'kind'),
  tappass_ledger_checkpoint_overdue_seconds: gauge('Time since an entry was written that no checkpoint covers'),
  tappass_ledger_checkpoint_timestamp_seconds: gauge('When the last checkpoint was signed and stored everywhere'),

  tappass_database_connections: gauge('Connections to PostgreSQL by state: `active` or `idle`', 'state'),
  tappass_database_connections_max: gauge('Connections that the pool may have'),
  tappass_database_requests_waiting: gauge('Statements and transactions that wait for a connection'),
  tappass_redis_memory_used_bytes: gauge('Memory that Redis uses'),
  tappass_redis_memory_max_bytes: gauge('Memory that Redis may use; none without a limit'),
  tappass_disk_size_bytes: gauge("Size of the file system that the ledger's checkpoints are on"),
  tappass_disk_free_bytes: gauge('What of it is free'),

  tappass_active_agents: gauge('Agents that are active; none while the database is away'),
  tappass_capability_tokens_total: counter('Capability tokens by outcome', 'outcome'),
  tappass_svid_expiry_seconds: gauge("Time until the gateway's own SVID expires"),
  tappass_svid_bundle_age_seconds: gauge('Time since the trust bundle was last written'),
  tappass_svid_problem: gauge('1 while files of the SVID folder are not taken, or the SVID has expired'),
  tappass_svid_refusals_total: counter('SVIDs that were refused', 'credential', 'reason'),
  tappass_trace_spans_total: counter(
    'Spans of traces by outcome: `exported`; `dropped`, for which the queue had no room; `failed`, which the collector did not take',
    'outcome',
  ),
  tappass_metrics_dropped_total: counter(
    'Label values that were counted as `(other)`: a metric has 500 series at most',
  ),
} as const satisfies Readonly<Record<string, Metric>>

/** The name of a metric. */
export type MetricName = keyof typeof METRICS

/** The names of one type. */
export type NameOf<Type extends Metric['type']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never
}[MetricName]

/** Upper bounds of the buckets. Those of waiting for somebody else go on to minutes; 0.5 is the playbook's goal for the pipeline. */
export const BUCKETS: Readonly<Record<'own' | 'waiting', readonly number[]>> = {
  own: [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5],
  waiting: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
}

/** Those that wait for a model server. */
const WAITING: ReadonlySet<string> = new Set(['tappass_http_request_duration_seconds', 'tappass_upstream_seconds'])

/** Returns the bounds of a histogram. */
export function bucketsOf(name: string): readonly number[] {
  return WAITING.has(name) ? BUCKETS.waiting : BUCKETS.own
}

/** Returns the unit that a name ends in, as the reference shows it. */
export function unitOf(name: string): string {
  if (/_timestamp_seconds$/.test(name)) return 'seconds since 1970'
  const [, unit] = /_(seconds|bytes)(?:_total)?$/.exec(name) ?? []
  return unit ?? (/_total$/.test(name) ? 'count' : '')
}
