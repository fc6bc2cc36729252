/** How a look for drift is told: its record on the host, metrics for node exporter, and lines for the journal. */
import { HOST_PATH } from '../../contract/path.ts'
import { canonicalJson } from '../core/canonical.ts'
import { scriptCommand } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import { type DriftRecord, findingText } from '../output/drift-record.ts'

/** Whether the host may and can put all of it back by itself. */
export function isRepairable({ problem, findings, obstacles }: DriftRecord): boolean {
  return problem === undefined && findings.length > 0 && obstacles.length === 0
}

type Metric = Readonly<{ name: string; help: string; value: (record: DriftRecord) => number }>

/** What a look is told as. */
export const DRIFT_METRICS: readonly Metric[] = [
  {
    name: 'tappass_drift_findings',
    help: 'What is not as the last run left it.',
    value: ({ findings }) => findings.length,
  },
  {
    name: 'tappass_drift_compared',
    help: 'Whether the host could be compared (1) or not (0).',
    value: ({ problem }) => (problem === undefined ? 1 : 0),
  },
  {
    name: 'tappass_drift_timestamp_seconds',
    help: 'When it was looked.',
    value: ({ at }) => Date.parse(at) / 1000,
  },
]

function metricsOf(record: DriftRecord): string {
  return DRIFT_METRICS.map(
    ({ name, help, value }) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value(record)}\n`,
  ).join('')
}

/** The record is root's: it repeats what the system's log says of commands. `repairable` is what the service that repairs waits for. */
const WRITE_SCRIPT = String.raw`umask 022; mkdir -p -- "$1"; cd "$1"; IFS= read -r record; cat >.metrics
(umask 077; printf '%s\n' "$record" >.record); mv -f -- .record last.json; mv -f -- .metrics tappass-drift.prom
if [ "$2" = yes ]; then : >repairable; else rm -f repairable; fi`

/** Returns the command that writes what a look has found. */
export function recordCommand(record: DriftRecord): Command {
  const args = [HOST_PATH.driftFolder, isRepairable(record) ? 'yes' : 'no']
  return scriptCommand(WRITE_SCRIPT, args, `${canonicalJson(record)}\n${metricsOf(record)}`)
}

/** Returns what was found as lines; `isJournal`: with the priority in front that journald reads. */
export function driftLines({ run, problem, findings, obstacles }: DriftRecord, isJournal: boolean): readonly string[] {
  const line = (priority: number, text: string) => (isJournal ? `<${priority}>${text}` : text)
  if (problem !== undefined) return [line(4, `not compared: ${problem}`)]
  if (findings.length === 0) return [line(6, `nothing differs from run ${run}`)]
  return [
    ...findings.map((each) => line(4, findingText(each))),
    ...obstacles.map((why) => line(5, `it is not put back by itself: ${why}`)),
  ]
}
