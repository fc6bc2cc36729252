/** Converges one resource: plans it with fresh facts, applies the changes, plans it again. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { describeCommand } from '../core/command.ts'
import { Failure } from '../core/failure.ts'
import type { Connection, GetFact, Output, Runner } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { Emit, OutsideExpectation, StepFailure } from '../output/event.ts'
import { type ApplyListener, applyChange } from './apply.ts'
import { reportFailure, reportNotConverged } from './failure-report.ts'
import { applyGuarded, type GuardedResult } from './guarded-change.ts'
import type { PlanContract } from './plan-contract.ts'

/**
 * `freshFacts` creates a fact reader; `reconnect` makes a further connection to the host; `shouldStop` is called between steps; `retryCommand` is
 * the command line that continues the run. With `contract` nothing else is done than it says. `onPlan` receives the reader of each plan of all
 * resources. `watch` is given to a run that is a unit of the host: whether somebody watches it, who can confirm a guarded change, and the wait for that.
 * `outside` is how the ingress has to answer after a change of it. `isPutBack`: a guarded change of this run was put back, and no further one is begun.
 * `guarded`: the changes are covered by a guard that is set already; its `end` is called with how the step ended, and returns how it ended by that.
 */
export type ConvergeContext = Readonly<{
  run: Runner
  reconnect: () => Promise<Connection>
  freshFacts: () => GetFact
  nonce: () => string
  nowMs: () => number
  shouldStop: () => boolean
  emit: Emit
  retryCommand: string
  contract?: PlanContract | undefined
  onPlan?: (getFact: GetFact) => void
  watch?: Watch | undefined
  outside?: OutsideExpectation | undefined
  isPutBack?: () => boolean
  guarded?: Readonly<{ end: (failure: StepFailure | undefined) => Promise<StepFailure | undefined> }>
}>

/** Whether somebody watches, and the wait until that one has confirmed, for so many seconds. */
export type Watch = Readonly<{
  isWatched: () => Promise<boolean>
  awaitConfirmation: (step: number, seconds?: number, outside?: OutsideExpectation) => Promise<Output>
}>

/** A resource and its number, counted from 1. */
export type ResourceStep = Readonly<{ resource: Resource; step: number; steps: number }>

/**
 * Returns why a guarded change is not begun by a unit of the host. One that nobody could confirm would be put back, after a time in which the operator
 * might be cut off; and what follows one that was put back may rely on it: the ports of an ingress that has not moved are not closed.
 */
export async function blockedReason({ watch, isPutBack }: ConvergeContext): Promise<string | undefined> {
  if (watch === undefined) return undefined
  if (isPutBack?.()) return 'a guarded change before it was put back: it was not begun'
  if (await watch.isWatched()) return undefined
  return 'nobody is connected to this run who could confirm it over a new connection: it was not begun'
}

/** Returns the failure that stands for a guarded change which is not begun. */
export function notBegun(resource: string, { action, commands }: Change, why: string, next: string): StepFailure {
  return {
    ...{ resource, action, command: describeCommand(commands[0]), code: EXIT_CODE.rolledBack },
    ...{ output: [why], next, isPutBack: true },
  }
}

async function applyOne(
  context: ConvergeContext,
  { resource: { id: resource }, step }: ResourceStep,
  change: Change,
  listener: ApplyListener,
): Promise<StepFailure | undefined> {
  const { commands } = change
  const { watch, retryCommand, guarded } = context
  const guard = guarded === undefined ? change.guard : undefined
  const blocked = guard && (await blockedReason(context))
  if (blocked !== undefined) return notBegun(resource, change, blocked, retryCommand)
  const awaitConfirmation = watch && (() => watch.awaitConfirmation(step))
  const result: GuardedResult =
    guard === undefined
      ? await applyChange(context.run, commands, context.nonce, listener)
      : await applyGuarded(
          { ...context, ...(awaitConfirmation && { awaitConfirmation }) },
          { commands, guard },
          listener,
        )
  if (result.status === 'done') return undefined
  const failure = await reportFailure(context.run, resource, change, result, context.retryCommand)
  return result.isPutBack === true ? { ...failure, isPutBack: true } : failure
}

async function applyAll(
  context: ConvergeContext,
  current: ResourceStep,
  changes: readonly Change[],
): Promise<StepFailure | undefined> {
  const { resource, step } = current
  const listener = {
    onCommand: (command: string) => context.emit({ event: 'command-started', step, command }),
    onLine: (line: string) => context.emit({ event: 'output', step, line }),
  }
  for (const change of changes) {
    const failure = await applyOne(context, current, change, listener)
    if (failure !== undefined) return failure
  }
  context.contract?.noteApplied(resource.id, changes)
  const [left] = await resource.plan(context.freshFacts())
  if (left === undefined) return undefined
  return await reportNotConverged(context.run, resource.id, left, context.retryCommand)
}

/** Returns the number of changes applied, or how one failed; a change without lasting effect is a failure. Throws when the host is unreachable. */
export async function convergeResource(context: ConvergeContext, current: ResourceStep): Promise<number | StepFailure> {
  const { resource, step, steps } = current
  const startMs = context.nowMs()
  const changes = await resource.plan(context.freshFacts())
  context.contract?.assertPlanned(resource.id, changes)
  const isNeeded = changes.length > 0
  const action = isNeeded ? changes.map((change) => change.action).join('; ') : 'no changes needed'
  const reason = isNeeded ? changes.map((change) => change.reason).join('; ') : 'it is up to date already'
  context.emit({ event: 'step-started', step, steps, resource: resource.id, action, reason })
  const own = isNeeded ? await applyAll(context, current, changes) : undefined
  const failure = context.guarded === undefined ? own : await context.guarded.end(own)
  if (failure !== undefined) {
    context.emit({ event: 'step-failed', step, steps, failure })
    return failure
  }
  const ms = Math.round(context.nowMs() - startMs)
  context.emit({ event: 'step-finished', step, steps, resource: resource.id, isApplied: isNeeded, ms })
  return changes.length
}

/** As `convergeResource`; what it throws as a `Failure` is returned. */
export async function tryConvergeResource(
  context: ConvergeContext,
  step: ResourceStep,
): Promise<number | StepFailure | Failure> {
  try {
    return await convergeResource(context, step)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}
