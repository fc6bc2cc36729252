/** The dashboard for who runs servers. */
import type { Dashboard } from './dashboard.ts'
import { figure, graph, most, NEWEST_BACKUP, panel, quantile, rate } from './panel.ts'

const CHAT = 'path="/chat/completions"'
const errorShare = `${rate('tappass_http_requests_total', 'job', `${CHAT},status=~"5.."`)} / ${rate('tappass_http_requests_total', 'job', CHAT)}`
const expiryOf = (name: string): string =>
  `${most('tappass_check_expires_timestamp_seconds', 'subject', `check="${name}"`)} - time()`

/** Rate, errors and duration; where the time goes; what may run out; the host. */
export const OPERATORS: Dashboard = {
  uid: 'tappass-operators',
  title: 'TapPass: operators',
  description: 'Rate, errors and duration; where the time goes; what is about to run out.',
  rows: [
    {
      title: 'Now',
      panels: [
        figure('Can serve', '1: /health answers 200.', 'none', most('tappass_ready', 'gateway'), {
          from: 1,
          isBelow: true,
        }),
        panel(
          'stat',
          'Dependencies',
          'database: PostgreSQL; opa: the policy engine; redis: the limiter.',
          'none',
          [['{{dependency}}', most('tappass_dependency_up', 'dependency')]],
          { from: 1, isBelow: true },
        ),
        figure('Errors of chat completions', 'Share of 5xx; the goal is 1 %.', 'percentunit', errorShare, {
          from: 0.01,
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        graph('Rate by route', 'Requests a second.', 'reqps', [
          '{{method}} {{path}}',
          rate('tappass_http_requests_total', 'method, path'),
        ]),
        graph('Rate by status', '499: the client went away.', 'reqps', [
          '{{status}}',
          rate('tappass_http_requests_total', 'status'),
        ]),
        graph(
          'Duration of chat completions',
          'To the last byte, of streams, too; with the model server.',
          's',
          ['p50', `histogram_quantile(0.5, ${rate('tappass_http_request_duration_seconds_bucket', 'le', CHAT)})`],
          ['p99', `histogram_quantile(0.99, ${rate('tappass_http_request_duration_seconds_bucket', 'le', CHAT)})`],
        ),
        graph(
          'In flight',
          'Requests that are being answered, and streams among them.',
          'none',
          ['requests {{gateway}}', most('tappass_http_requests_in_flight', 'gateway')],
          ['streams {{gateway}}', most('tappass_http_streams_open', 'gateway')],
        ),
      ],
    },
    {
      title: 'Where the time goes',
      panels: [
        graph('Judgement, p99', 'Steps, policy, enforcement, durable entry; the goal is 500 ms.', 's', [
          '{{stage}}',
          quantile(0.99, 'tappass_pipeline_seconds', 'stage'),
        ]),
        graph('Steps, p99', 'By step.', 's', ['{{step}}', quantile(0.99, 'tappass_step_seconds', 'step')]),
        graph(
          'Policy and ledger, p99',
          'A decision; an entry until it was durable.',
          's',
          ['policy', quantile(0.99, 'tappass_policy_seconds')],
          ['ledger', quantile(0.99, 'tappass_ledger_seconds')],
        ),
        graph('Model server, p95', 'Until it began to answer.', 's', [
          '{{upstream}}',
          quantile(0.95, 'tappass_upstream_seconds', 'upstream'),
        ]),
        graph('Model server, answers', 'By class.', 'reqps', [
          '{{upstream}} {{outcome}}',
          rate('tappass_upstream_requests_total', 'upstream, outcome'),
        ]),
        graph(
          'Large bodies',
          'In other threads, or waiting for one.',
          'none',
          ['pending {{gateway}}', most('tappass_inspections_pending', 'gateway')],
          ['oldest (s) {{gateway}}', most('tappass_inspection_oldest_seconds', 'gateway')],
        ),
      ],
    },
    {
      title: 'What may run out',
      panels: [
        graph(
          'Connections to PostgreSQL',
          'Of the pool, and what waits for one.',
          'none',
          ['{{state}} {{gateway}}', most('tappass_database_connections', 'state, gateway')],
          ['may be {{gateway}}', most('tappass_database_connections_max', 'gateway')],
          ['waiting {{gateway}}', most('tappass_database_requests_waiting', 'gateway')],
        ),
        graph(
          'Connections to model servers',
          'Of the pool, and what waits for one.',
          'none',
          ['{{upstream}} {{state}}', most('tappass_upstream_connections', 'upstream, state')],
          ['{{upstream}} waiting', most('tappass_upstream_requests_waiting', 'upstream')],
        ),
        graph(
          'Memory of Redis',
          'At its limit it forgets what was used least lately.',
          'bytes',
          ['used', most('tappass_redis_memory_used_bytes', 'job')],
          ['limit', most('tappass_redis_memory_max_bytes', 'job')],
        ),
        graph(
          'Disk of the ledger',
          'Below 512 MB calls are refused.',
          'bytes',
          ['free', most('tappass_disk_free_bytes', 'job')],
          ['size', most('tappass_disk_size_bytes', 'job')],
        ),
        graph(
          'Ledger',
          'Entries that are not durable yet, and how long the oldest waits.',
          'none',
          ['pending {{gateway}}', most('tappass_ledger_entries_pending', 'gateway')],
          ['lag (s) {{gateway}}', most('tappass_ledger_lag_seconds', 'gateway')],
        ),
        graph('Event loop, p99', 'Above some tens of milliseconds a processor is not enough.', 's', [
          '{{gateway}}',
          most('tappass_nodejs_eventloop_lag_p99_seconds', 'gateway'),
        ]),
        graph('Processor', 'Cores of each instance.', 'none', [
          '{{gateway}}',
          rate('tappass_process_cpu_seconds_total', 'gateway'),
        ]),
        graph('Memory', 'Resident, of each instance.', 'bytes', [
          '{{gateway}}',
          most('tappass_process_resident_memory_bytes', 'gateway'),
        ]),
      ],
    },
    {
      title: 'The host',
      panels: [
        panel(
          'table',
          'What the daily check found',
          '0: not well, or not for long.',
          'none',
          [['', most('tappass_check_well', 'check, subject')]],
          { from: 1, isBelow: true },
        ),
        figure('Certificate ends in', 'The one that Caddy serves.', 's', expiryOf('certificate'), {
          from: 86_400,
          isBelow: true,
        }),
        NEWEST_BACKUP,
        panel('table', 'What runs', 'Version, revision, Node, policy.', 'none', [
          ['', most('tappass_build_info', 'gateway, version, revision, node, policy')],
        ]),
      ],
    },
  ],
}
