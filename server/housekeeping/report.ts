/** What is said of findings: lines for the journal with their priority, metrics, the record that `status` reads, a message for a webhook. */
import type { Finding, Level } from './finding.ts'

/** Priorities of syslog, as systemd takes them at the beginning of a line. */
const PRIORITIES: Readonly<Record<Level, number>> = { ok: 6, soon: 4, failed: 3 }

/** Returns a line for each finding, the most urgent first. */
export function journalLines(findings: readonly Finding[]): readonly string[] {
  return findings
    .toSorted((a, b) => PRIORITIES[a.level] - PRIORITIES[b.level])
    .map(({ check, subject, level, state }) => `<${PRIORITIES[level]}>${check} ${subject}: ${state}`)
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
}

/** A metric, and what of a finding is its value. */
export type Metric = Readonly<{ name: string; help: string; value: (finding: Finding) => number | undefined }>

/** One a member of findings that is a number. */
export const CHECK_METRICS: readonly Metric[] = [
  {
    name: 'tappass_check_well',
    help: 'Whether what was looked at is well: 1, or 0 for what will not be for long or is not.',
    value: ({ level }) => (level === 'ok' ? 1 : 0),
  },
  {
    name: 'tappass_check_expires_timestamp_seconds',
    help: 'When it ends, in seconds since 1970.',
    value: ({ expiresMs }) => (expiresMs === undefined ? undefined : Math.floor(expiresMs / 1000)),
  },
  {
    name: 'tappass_check_free_bytes',
    help: 'What is free of a file system.',
    value: ({ freeBytes }) => freeBytes,
  },
  {
    name: 'tappass_check_backup_timestamp_seconds',
    help: 'When the newest backup that counts was taken, in seconds since 1970.',
    value: ({ takenMs }) => (takenMs === undefined ? undefined : Math.floor(takenMs / 1000)),
  },
]

/** Returns the text that node exporter's textfile collector reads. */
export function metricsText(findings: readonly Finding[], atMs: number): string {
  const families = CHECK_METRICS.map(({ name, help, value }) => {
    const rows = findings.flatMap((finding) => {
      const number = value(finding)
      const labels = `check=${quoted(finding.check)},subject=${quoted(finding.subject)}`
      return number === undefined ? [] : [`${name}{${labels}} ${number}\n`]
    })
    return rows.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${rows.join('')}`
  })
  const last = 'tappass_check_last_run_timestamp_seconds'
  const run = `# HELP ${last} When the check was made.\n# TYPE ${last} gauge\n${last} ${Math.floor(atMs / 1000)}\n`
  return `${families.join('')}${run}`
}

/** Returns the record of a check as one line of JSON. */
export function recordText(findings: readonly Finding[], atMs: number): string {
  return `${JSON.stringify({ at: new Date(atMs).toISOString(), findings })}\n`
}

/** Returns what a webhook is sent; undefined when all is well. `text` is what chat servers show. It holds no secret. */
export function webhookBody(findings: readonly Finding[], host: string, atMs: number): string | undefined {
  const wrong = findings.filter(({ level }) => level !== 'ok')
  if (wrong.length === 0) return undefined
  const lines = wrong.map(({ check, subject, state }) => `${check} ${subject}: ${state}`)
  const text = `TapPass on ${host}: ${lines.join('; ')}`
  return JSON.stringify({ text, host, at: new Date(atMs).toISOString(), findings: wrong })
}
