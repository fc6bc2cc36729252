/** `tappass drift`: compares a host with what its last run left: what differs, since when, and by whom as far as the system can tell. A timer does the same. */
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { lockHolderOf, runHost } from '../converge/host-run.ts'
import { missingInputs } from '../converge/kept-run.ts'
import { Failure } from '../core/failure.ts'
import { checkDrift, type DriftCheck } from '../drift/drift-check.ts'
import { driftLines, isRepairable, recordCommand } from '../drift/report.ts'
import { markLines } from '../history/line-mark.ts'
import { createHandOver } from '../job/job-start.ts'
import { recipe } from '../recipe.ts'
import { connectors } from '../runners/connectors.ts'
import { readOnly } from '../runners/read-only.ts'
import { forEachHost, type HostResult, type HostSession } from '../session/host-session.ts'
import { openSpecSession } from '../session/spec-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'

/** Whether systemd itself has started this process: what it prints goes to the journal, and nobody typed it. */
function isOfUnit({ environment }: Invocation): boolean {
  return environment['SYSTEMD_EXEC_PID'] === String(process.pid)
}

/** What a look has found is written on the host, told, and returned as the end of the run. */
async function report(
  invocation: Invocation,
  host: HostSession,
  { record, resources }: DriftCheck,
): Promise<HostResult> {
  const { code, stderr } = await host.run(recordCommand(record))
  if (code !== 0) throw new Failure({ what: 'cannot write what the look has found', why: stderr.trim() })
  host.emit({ event: 'drift', resources, ...record })
  if (!isGiven(invocation, 'json')) invocation.stdout.write(`${driftLines(record, isOfUnit(invocation)).join('\n')}\n`)
  if (record.problem !== undefined) return { outcome: 'failed', applied: 0, remaining: 0 }
  const remaining = record.findings.length
  if (remaining === 0) return { outcome: 'up-to-date', applied: 0, remaining }
  const repair = hostCommandHint(invocation, 'drift --repair')
  const next = isRepairable(record) ? repair : `${hostCommandHint(invocation, 'bootstrap')} --config FILE`
  return { outcome: 'pending', applied: 0, remaining, next }
}

/** Returns 0 when nothing differs, 1 when it can't be compared, 2 when something differs, 4 while a run changes the host; with `--repair` what `bootstrap` returns. */
export async function run(invocation: Invocation): Promise<number> {
  const { targets, text, specFrom } = await openSpecSession(invocation)
  const resourcesOf = (spec: HostSpec) => recipe(spec, text).flatMap(({ resources }) => resources)
  const marked = (spec: HostSpec) => recipe(spec, markLines(text)).flatMap(({ resources }) => resources)
  const work = async (host: HostSession): Promise<HostResult> => {
    const check = () =>
      checkDrift({
        ...{ freshFacts: () => host.freshFacts(readOnly(host.run)), holder: lockHolderOf(invocation, host) },
        ...{ specFrom, resourcesOf, nowMs: invocation.nowMs },
      })
    const found = await check()
    const { record, spec } = found
    if (!isGiven(invocation, 'repair') || spec === undefined || record.findings.length === 0)
      return await report(invocation, host, found)
    if (record.obstacles.length > 0) {
      const next = hostCommandHint(invocation, 'bootstrap')
      host.emit({ event: 'refused', reasons: record.obstacles.map((what) => ({ what, next })) })
      return { ...(await report(invocation, host, found)), outcome: 'refused' }
    }
    const result = await runHost(invocation, host, resourcesOf(spec), spec, {
      ...{ confirm: host.confirm, waiting: text('scripts/first-boot.sh'), refusals: missingInputs },
      history: { spec, marked: () => marked(spec), operator: isOfUnit(invocation) ? 'drift timer' : undefined },
      // A run that systemd has started is a unit already.
      ...(isOfUnit(invocation) ? { isUnattended: true } : { handOver: createHandOver(invocation) }),
    })
    if (result.outcome === 'up-to-date') await report(invocation, host, await check())
    return result
  }
  return await forEachHost(invocation, connectors, targets, { work, isConfirmedTogether: true })
}
