/** Converges one resource: plans it with fresh facts, applies the changes, plans it again. */

import { Failure } from '../core/failure.ts'
import type { Connection, GetFact, Runner } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { Emit, StepFailure } from '../output/event.ts'
import { type ApplyListener, applyChange } from './apply.ts'
import { reportFailure, reportNotConverged } from './failure-report.ts'
import { applyGuarded, type GuardedResult } from './guarded-change.ts'
import type { PlanContract } from './plan-contract.ts'

/**
 * `freshFacts` creates a fact reader; `reconnect` makes a further connection to the host; `shouldStop` is called between steps; `retryCommand` is
 * the command line that continues the run. With `contract` nothing else is done than it says. `onPlan` receives the reader of each plan of all
 * resources.
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
}>

/** A resource and its number, counted from 1. */
export type ResourceStep = Readonly<{ resource: Resource; step: number; steps: number }>

async function applyOne(
  context: ConvergeContext,
  resource: string,
  change: Change,
  listener: ApplyListener,
): Promise<StepFailure | undefined> {
  const { commands, guard } = change
  const result: GuardedResult =
    guard === undefined
      ? await applyChange(context.run, commands, context.nonce, listener)
      : await applyGuarded(context, { commands, guard }, listener)
  if (result.status === 'done') return undefined
  const failure = await reportFailure(context.run, resource, change, result, context.retryCommand)
  return result.isPutBack === true ? { ...failure, isPutBack: true } : failure
}

async function applyAll(
  context: ConvergeContext,
  { resource, step }: ResourceStep,
  changes: readonly Change[],
): Promise<StepFailure | undefined> {
  const listener = {
    onCommand: (command: string) => context.emit({ event: 'command-started', step, command }),
    onLine: (line: string) => context.emit({ event: 'output', step, line }),
  }
  for (const change of changes) {
    const failure = await applyOne(context, resource.id, change, listener)
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
  const failure = isNeeded ? await applyAll(context, current, changes) : undefined
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
