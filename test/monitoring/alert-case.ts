/** For each alert what it sees while all is just well enough, and while it is not. */

/**
 * A series: its value while all is well, and while it is not. `each` marks a counter, whose values are what it rises by in half a minute; `clock` one whose value is
 * the time, and these are added to it.
 */
export type Series = Readonly<{ name: string; well: number; ill: number; kind?: 'each' | 'clock' }>

const at = (name: string, well: number, ill: number, kind?: Series['kind']): Series => ({
  ...{ name, well, ill },
  ...(kind === undefined ? {} : { kind }),
})
const check = (name: string, well = 1, ill = 0) =>
  at(`tappass_check_well{job="t",check="${name}",subject="s"}`, well, ill)
const G = 'job="t",gateway="1"'
const chat = `tappass_http_requests_total{${G},method="POST",path="/chat/completions"`
const bucket = (le: string, ill: number) =>
  at(`tappass_pipeline_seconds_bucket{${G},stage="request",le="${le}"}`, 1000, ill, 'each')
const DAY = 86_400

/** By the name of the alert. What is well is as near to the threshold as it may be. */
export const ALERT_CASES: Readonly<Record<string, readonly Series[]>> = {
  TapPassDown: [at('up{job="tappass",instance="a"}', 1, 0)],
  TapPassNotReady: [at(`tappass_ready{${G}}`, 1, 0)],
  TapPassPipelineSlow: [
    at(`tappass_pipeline_seconds_bucket{${G},stage="request",le="0.5"}`, 991, 980, 'each'),
    bucket('2.5', 1000),
    bucket('+Inf', 1000),
  ],
  TapPassErrors: [at(`${chat},status="200"}`, 991, 980, 'each'), at(`${chat},status="503"}`, 9, 20, 'each')],
  TapPassRedisMemory: [
    at(`tappass_redis_memory_used_bytes{${G}}`, 60_000_000, 61_000_000),
    at(`tappass_redis_memory_max_bytes{${G}}`, 67_108_864, 67_108_864),
  ],
  TapPassDatabaseConnections: [
    at(`tappass_database_connections{${G},state="active"}`, 8, 9),
    at(`tappass_database_connections{${G},state="idle"}`, 2, 1),
    at(`tappass_database_connections_max{${G}}`, 10, 10),
  ],
  TapPassDiskFilling: [at(`tappass_disk_free_bytes{${G}}`, 21, 19), at(`tappass_disk_size_bytes{${G}}`, 100, 100)],
  TapPassDependencyDown: [
    at(`tappass_dependency_up{${G},dependency="database"}`, 1, 1),
    at(`tappass_dependency_up{${G},dependency="redis"}`, 1, 0),
  ],
  TapPassStepsFail: [
    at(`tappass_step_failures_total{${G},step="detect_pii"}`, 9, 20, 'each'),
    at(`tappass_pipeline_seconds_count{${G},stage="request"}`, 1000, 1000, 'each'),
  ],
  TapPassPolicyFails: [at(`tappass_policy_failures_total{${G}}`, 0, 1, 'each')],
  TapPassLedgerFails: [at(`tappass_ledger_appends_total{${G},outcome="failed"}`, 0, 1, 'each')],
  TapPassLedgerLag: [at(`tappass_ledger_lag_seconds{${G}}`, 2, 2.1)],
  TapPassLedgerEntriesLost: [at(`tappass_ledger_lost_entries_total{${G}}`, 0, 1, 'each')],
  TapPassCheckpointMissing: [at(`tappass_ledger_checkpoint_overdue_seconds{${G}}`, 300, 301)],
  TapPassLedgerLostHistory: [at(`tappass_ledger_alarm{${G},kind="history"}`, 0, 1)],
  TapPassSvid: [at(`tappass_svid_problem{${G}}`, 0, 0), at(`tappass_svid_expiry_seconds{${G}}`, 301, 299)],
  TapPassLicense: [at(`tappass_license_expires_timestamp_seconds{${G}}`, 15 * DAY, 14 * DAY)],
  TapPassClock: [at(`tappass_clock_timestamp_seconds{${G}}`, 5, -6, 'clock')],
  TapPassCheckFound: [check('secret'), check('disk', 1, 1)],
  TapPassCertificate: [
    check('certificate', 1, 1),
    at('tappass_check_expires_timestamp_seconds{job="t",check="certificate",subject="s"}', 2 * DAY, DAY),
  ],
  TapPassBackupUnverified: [check('backup')],
  TapPassBackupOld: [at('tappass_check_backup_timestamp_seconds{job="t",check="backup",subject="s"}', -DAY, -2 * DAY)],
  TapPassBackupCopyLate: [check('backup-copy')],
  TapPassCheckMissing: [at('tappass_check_last_run_timestamp_seconds{job="t"}', -DAY, -2 * DAY)],
  TapPassDrift: [at('tappass_drift_findings{job="t"}', 0, 1)],
  TapPassDriftNotCompared: [
    at('tappass_drift_compared{job="t"}', 1, 0),
    at('tappass_drift_timestamp_seconds{job="t"}', 0, 0),
  ],
  TapPassDrillFailed: [at('tappass_drill_reached{job="t",drill="server"}', 1, 0)],
}
