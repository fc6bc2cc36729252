/** The dashboard for who answers for what passes. */
import type { Dashboard } from './dashboard.ts'
import { figure, graph, most, NEWEST_BACKUP, panel, rate } from './panel.ts'

const checkOf = (name: string): string => most('tappass_check_well', 'subject', `check="${name}"`)

/** What was decided; whether it fails closed; the record; who is believed. */
export const SECURITY_OFFICERS: Dashboard = {
  uid: 'tappass-security',
  title: 'TapPass: security officers',
  description: 'What was refused and why; whether the record holds; what keeps it so.',
  rows: [
    {
      title: 'What was decided',
      panels: [
        graph('Judgements by action', 'A second; of requests and of answers.', 'reqps', [
          '{{stage}} {{action}}',
          rate('tappass_judgements_total', 'stage, action'),
        ]),
        graph('Refusals by step', 'The step that saw why.', 'reqps', [
          '{{step}}',
          rate('tappass_pipeline_blocks_total', 'step'),
        ]),
        graph('Personal data found', 'By type, a second.', 'reqps', [
          '{{type}}',
          rate('tappass_pii_detections_total', 'type'),
        ]),
        panel('stat', 'Refused in 24 hours', 'Calls.', 'none', [
          ['', 'sum(increase(tappass_judgements_total{job=~"$job",action="block"}[24h]))'],
        ]),
        panel('stat', 'Redacted in 24 hours', 'Judgements.', 'none', [
          ['', 'sum(increase(tappass_judgements_total{job=~"$job",action="redact"}[24h]))'],
        ]),
        figure('Active agents', 'Who may call.', 'none', most('tappass_active_agents', 'job')),
      ],
    },
    {
      title: 'Whether it fails closed, and how often',
      panels: [
        graph('Steps that failed', 'The default policy refuses these calls.', 'reqps', [
          '{{step}}',
          rate('tappass_step_failures_total', 'step'),
        ]),
        graph('Decisions that were not given', 'These calls were refused.', 'reqps', [
          'policy',
          rate('tappass_policy_failures_total', 'job'),
        ]),
        graph('Entries', 'Failed: the call was refused.', 'reqps', [
          '{{outcome}}',
          rate('tappass_ledger_appends_total', 'outcome'),
        ]),
      ],
    },
    {
      title: 'The record',
      panels: [
        panel(
          'stat',
          'Alarm of the ledger',
          'history: the database lacks what was signed; checkpoint: one is missing.',
          'none',
          [['{{kind}}', most('tappass_ledger_alarm', 'kind')]],
          { from: 1 },
        ),
        figure(
          'Without a checkpoint for',
          'Since an entry was written that none covers.',
          's',
          most('tappass_ledger_checkpoint_overdue_seconds', 'gateway'),
          { from: 300 },
        ),
        panel(
          'stat',
          'Entries lost in 24 hours',
          'In grouped mode only.',
          'none',
          [['', 'sum(increase(tappass_ledger_lost_entries_total{job=~"$job"}[24h]))']],
          { from: 1 },
        ),
        NEWEST_BACKUP,
        figure('Copies of backups', '1: none waits for too long.', 'none', checkOf('backup-copy'), {
          from: 1,
          isBelow: true,
        }),
        panel(
          'stat',
          'Drills',
          '1: the last one reached its goal.',
          'none',
          [['{{drill}}', most('tappass_drill_reached', 'drill')]],
          { from: 1, isBelow: true },
        ),
      ],
    },
    {
      title: 'Who is believed',
      panels: [
        graph('SVIDs that were refused', 'By reason.', 'reqps', [
          '{{credential}} {{reason}}',
          rate('tappass_svid_refusals_total', 'credential, reason'),
        ]),
        graph('Requests without a right', '401 and 403.', 'reqps', [
          '{{status}} {{path}}',
          rate('tappass_http_requests_total', 'status, path', 'status=~"401|403"'),
        ]),
        figure(
          "The gateway's SVID ends in",
          'It is renewed at half of its life.',
          's',
          most('tappass_svid_expiry_seconds', 'gateway'),
          { from: 300, isBelow: true },
        ),
        figure('Secrets', '1: none is older than its limit.', 'none', checkOf('secret'), { from: 1, isBelow: true }),
        figure(
          'License ends in',
          'None without one that ends.',
          's',
          `${most('tappass_license_expires_timestamp_seconds', 'job')} - time()`,
          { from: 14 * 86_400, isBelow: true },
        ),
        figure(
          'Drift',
          'Things that are not as the last run left them.',
          'none',
          most('tappass_drift_findings', 'job'),
          { from: 1 },
        ),
      ],
    },
  ],
}
