/** Brings a host to the release of the toolkit that runs: its settings stay as its last run left them. */
import { userInfo } from 'node:os'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { isOlder } from '../artifacts/release-ladder.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven } from '../command-line/invocation.ts'
import { inspectHost } from '../converge/host-inspection.ts'
import { runHost } from '../converge/host-run.ts'
import { lastKeptRun, missingInputs, specOfRun } from '../converge/kept-run.ts'
import type { HandOver } from '../converge/locked-run.ts'
import { plannedChanges } from '../converge/plan.ts'
import { Failure, refusedFailure } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import { verifyHistory } from '../history/entry.ts'
import { historyFact } from '../history/history-fact.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import type { StorageFindings } from '../storage/finding.ts'
import { OPERATOR_VARIABLE } from './own-toolkit.ts'
import { readReleaseChange } from './release-change.ts'
import { releaseMoveOf } from './release-move-plan.ts'

/** `readSpec` is for a command line that says where the settings are, `specFrom` for those that the host has; the rest is the recipe and what a run needs. */
export type MoveContext = Readonly<{
  readSpec: (host: HostSession) => Promise<HostSpec>
  specFrom: (settings: string) => Promise<HostSpec>
  resourcesOf: (spec: HostSpec) => readonly Resource[]
  markedOf: (spec: HostSpec) => readonly Resource[]
  handOver: HandOver
  waiting: string
  /** Reads a file of the release. */
  text: (path: string) => string
  lookAtStorage: (host: HostSession, spec: HostSpec) => Promise<StorageFindings>
}>

/** A host that nobody has installed is not upgraded. What this release does not understand of the settings is a reason to do nothing. */
async function specOf(
  invocation: Invocation,
  host: HostSession,
  { readSpec, specFrom }: MoveContext,
): Promise<HostSpec> {
  const { target, freshFacts } = host
  if (target.config !== undefined || target.own !== undefined) return await readSpec(host)
  const getFact = freshFacts()
  const base = await lastKeptRun(getFact, verifyHistory(await getFact(historyFact)).generations)
  if (base === undefined)
    throw refusedFailure(
      'no release can be brought into force here',
      'no run of the log has left a whole server: TapPass is not installed, or by a release that noted less',
      hostCommandHint(invocation, 'bootstrap'),
    )
  return await specOfRun(base, specFrom).catch((error: unknown) => {
    if (error instanceof Failure && error.code === EXIT_CODE.usage) throw new Failure(error.text, EXIT_CODE.refused)
    throw error
  })
}

/** Returns who typed it: where the toolkit of a release was started by another one, that says so. */
export function operatorOf({ environment }: Invocation): string | undefined {
  return userInfo().uid === 0 ? environment[OPERATOR_VARIABLE] : undefined
}

/** Plans, asks, applies. With `--plan-only` nothing is changed. Throws what `runHost` throws, and a `Failure` (exit 5) for a host that was not installed. */
export async function moveToOwnRelease(
  invocation: Invocation,
  host: HostSession,
  context: MoveContext,
): Promise<HostResult> {
  const read = await specOf(invocation, host, context)
  const spec = { ...read, releaseChange: readReleaseChange(invocation, read.upgrade.soakSeconds) }
  const { emit, freshFacts } = host
  const resources = context.resourcesOf(spec)
  const move = await releaseMoveOf(freshFacts(), spec, context.text)
  if (invocation.verb.name === 'upgrade' && move.from !== null && isOlder(move.to, move.from))
    throw refusedFailure(
      `release ${move.to} is older than ${move.from}, which is in force`,
      'an upgrade goes to a later release',
      hostCommandHint(invocation, 'rollback'),
    )
  emit({ event: 'release-move', ...move })
  const { waiting } = context
  const lookAtStorage = () => context.lookAtStorage(host, spec)
  if (!isGiven(invocation, 'plan-only')) {
    const operator = operatorOf(invocation)
    return await runHost(invocation, host, resources, spec, {
      ...{ confirm: host.confirm, waiting, lookAtStorage, refusals: missingInputs, handOver: context.handOver },
      history: { spec, marked: () => context.markedOf(spec), operator },
    })
  }
  const inspection = await inspectHost(host, resources, spec, { nowMs: invocation.nowMs, waiting, lookAtStorage })
  const reasons = inspection.status === 'refused' ? inspection.reasons : missingInputs(inspection.plan)
  if (inspection.status === 'refused' || reasons.length > 0) {
    emit({ event: 'refused', reasons })
    return { outcome: 'refused', applied: 0, remaining: 0 }
  }
  const { plan } = inspection
  emit({ event: 'plan', resources: resources.length, changes: plannedChanges(plan) })
  const remaining = plan.planned.length
  return { outcome: remaining === 0 ? 'up-to-date' : 'pending', applied: 0, remaining }
}
