/** What a run does with the lock of a host: it converges, is noted in the log of the host, and may be handed over to the host itself. */
import type { Invocation } from '../command-line/invocation.ts'
import type { GetFact } from '../core/host.ts'
import type { Resource } from '../core/resource.ts'
import type { PlannedChange } from '../output/event.ts'
import { expectIngress } from '../outside/ingress-expectation.ts'
import { type HostResult, type HostSession, outcomeOf } from '../session/host-session.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { type ConvergeResult, converge } from './converge.ts'
import { whileLockedCommand } from './host-lock.ts'
import { type LockHolder, withLock } from './lock-lease.ts'
import { type Plan, planAll, plannedChanges } from './plan.ts'
import type { PlanContract } from './plan-contract.ts'
import type { ConvergeContext } from './resource-step.ts'
import { type Applied, beginOf, endOf, listApplied, type RunHistory } from './run-history.ts'

/** Returns how the run ended on the host; reasons and failures are told. */
export function hostResultOf(result: ConvergeResult, { emit }: HostSession): HostResult {
  const { applied, status } = result
  switch (status) {
    case 'up-to-date':
      return { outcome: 'up-to-date', applied, remaining: 0 }
    case 'unhealthy':
      return { outcome: 'unhealthy', applied, remaining: 0, unhealthy: result.unhealthy }
    case 'refused':
      emit({ event: 'refused', reasons: result.reasons })
      return { outcome: 'refused', applied, remaining: 0 }
    case 'interrupted':
      return { outcome: 'interrupted', applied, remaining: result.remaining }
    case 'failed':
    case 'rolled-back':
      return { outcome: status, applied, remaining: result.remaining }
    case 'aborted':
      emit({ event: 'error', failure: result.failure.text })
      return { outcome: outcomeOf(result.failure.code), applied, remaining: result.remaining }
    case 'not-converged':
      emit({ event: 'plan', resources: result.plan.resources, changes: plannedChanges(result.plan) })
      return { outcome: 'failed', applied, remaining: result.plan.planned.length }
  }
}

function factsOf({ owner }: LockHolder, { target }: HostSession, contract: PlanContract | undefined) {
  const { owner: user, controller, verb } = owner
  return { operator: `${user}@${controller}`, sshUser: target.address?.user ?? '', verb, plan: contract?.digest }
}

/** A run that can't note its end goes on to it: the next one notes that it was interrupted. */
function noteRun(
  history: RunHistory,
  host: HostSession,
  resources: readonly Resource[],
  { owner }: LockHolder,
  before: Applied = [],
) {
  const { emit, applied } = listApplied(host.emit, before)
  let reader = host.freshFacts()
  const onPlan = (getFact: GetFact) => {
    reader = getFact
  }
  const end = async (outcome: string) => {
    const command = await endOf(history, resources, reader, { outcome, applied })
    return await host.run(whileLockedCommand(owner.token, command))
  }
  return {
    applied,
    context: { emit, onPlan },
    end: async (outcome: string) => {
      const { code, stderr } = await end(outcome).catch((error: Error) => ({ code: 1, stderr: error.message }))
      if (code === 0) return
      const what = 'the end of this run is not in the log of the host'
      host.emit({
        event: 'warning',
        warning: { what, why: stderr.trim(), next: 'the next run notes it as interrupted' },
      })
    },
  }
}

/** What a run was when it is handed over: who holds the lock, what is planned, and what was applied by then. */
export type HandedRun = Pick<ConvergeContext, 'outside' | 'contract'> &
  Readonly<{ holder: LockHolder; history: RunHistory; plan: Plan; applied: Applied }>

/** A run that goes on: `applied` is what was applied before. */
export type ContinuedRun = Pick<ConvergeContext, 'watch' | 'outside' | 'contract' | 'nowMs' | 'shouldStop'> &
  Readonly<{ holder: LockHolder; history: RunHistory; applied: Applied }>

/**
 * Has a host go on with a run by itself. `toolkit` returns what it needs for that and the run brings, undefined where the host could not go on; `start` follows the
 * run, and returns how it ended.
 */
export type HandOver = Readonly<{
  toolkit: (
    host: HostSession,
    resources: readonly Resource[],
    spec: HostSpec,
  ) => Promise<readonly Resource[] | undefined>
  start: (host: HostSession, handed: HandedRun) => Promise<HostResult>
}>

/** A run that was confirmed. With `contract` nothing else is done than a plan on file says; with `history` it is noted on the host. */
export type LockedRun = Readonly<{
  contract?: PlanContract | undefined
  history?: RunHistory | undefined
  handOver?: HandOver | undefined
  holder: LockHolder
  plan: Plan
  changes: readonly PlannedChange[]
}>

/** Before anything is changed, the ingress is asked as its clients do, where it is about to be changed. */
async function expectOutside(host: HostSession, { planned }: Plan, history: RunHistory | undefined) {
  const isIngress = planned.some(({ resource }) => resource.guardedWith !== undefined)
  if (!isIngress || history === undefined) return undefined
  const { expected, warning } = await expectIngress(history.spec, host.target, host.freshFacts())
  if (warning !== undefined) host.emit({ event: 'warning', warning })
  return expected
}

/**
 * Brings the host what it needs to go on by itself. Returns undefined where nothing is missing. All of a plan on file is compared before, and what is done here is
 * a part of it.
 */
async function prepare(
  toolkit: readonly Resource[],
  resources: readonly Resource[],
  { planned }: Plan,
  context: ConvergeContext,
): Promise<ConvergeResult | undefined> {
  if (planned.every(({ resource }) => !toolkit.includes(resource))) return undefined
  const { contract } = context
  if (contract === undefined) return await converge(toolkit, context)
  const reasons = contract.differences(await planAll(resources, context.freshFacts()))
  if (reasons.length > 0) return { status: 'refused', reasons, applied: 0 }
  return await converge(toolkit, { ...context, contract: { ...contract, differences: () => [] } })
}

/** Converges with the lock held: from here, or as a unit of the host once the toolkit is there. */
export async function convergeLocked(
  invocation: Invocation,
  host: HostSession,
  resources: readonly Resource[],
  { contract, history, handOver, holder, plan, changes }: LockedRun,
): Promise<HostResult> {
  const noted = history && noteRun(history, host, resources, holder)
  const begin = history && beginOf(history, factsOf(holder, host, contract), changes)
  return await withLock({ ...holder, begin }, async (isLost) => {
    const outside = await expectOutside(host, plan, history)
    const context = {
      ...{ ...host, ...noted?.context, contract, outside },
      freshFacts: () => host.freshFacts(),
      nowMs: invocation.nowMs,
      shouldStop: () => invocation.interrupt.aborted || isLost(),
      retryCommand: holder.retryCommand,
    }
    const end = async (converged: ConvergeResult): Promise<HostResult> => {
      await noted?.end(converged.status)
      return hostResultOf(converged, host)
    }
    const toolkit = history && (await handOver?.toolkit(host, resources, history.spec))
    if (handOver === undefined || history === undefined || noted === undefined || toolkit === undefined)
      return await end(await converge(resources, context))
    const prepared = await prepare(toolkit, resources, plan, context)
    if (prepared !== undefined && prepared.status !== 'up-to-date') return await end(prepared)
    if (invocation.interrupt.aborted) {
      const applied = prepared?.applied ?? 0
      return await end({ status: 'interrupted', remaining: plan.planned.length - applied, applied })
    }
    const result = await handOver.start(host, { holder, history, plan, applied: noted.applied, outside, contract })
    return { ...result, applied: result.applied + (prepared?.applied ?? 0) }
  })
}

/**
 * Goes on, as a unit of the host, with a run whose lock it takes over from `holder.predecessor`. Returns how it ended. Throws what `runHost` throws.
 */
export async function continueRun(
  host: HostSession,
  resources: readonly Resource[],
  { holder, history, applied, ...context }: ContinuedRun,
): Promise<HostResult> {
  const noted = noteRun(history, host, resources, holder, applied)
  return await withLock(holder, async (isLost) => {
    const converged = await converge(resources, {
      ...{ ...host, ...noted.context, ...context },
      freshFacts: () => host.freshFacts(),
      shouldStop: () => context.shouldStop() || isLost(),
      retryCommand: holder.retryCommand,
    })
    await noted.end(converged.status)
    return hostResultOf(converged, host)
  })
}
