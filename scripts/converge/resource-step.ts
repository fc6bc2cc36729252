/** Converges one resource: plans it with fresh facts, applies the changes, plans it again. */

import { Failure } from '../core/failure.ts'
import type { GetFact, Runner } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { Emit, StepFailure } from '../output/event.ts'
import { applyChange } from './apply.ts'
import { reportFailure, reportNotConverged } from './failure-report.ts'
import type { PlanContract } from './plan-contract.ts'

/** `freshFacts` creates a fact reader; `shouldStop` is called between steps; `retryCommand` is the command line that continues the run. With `contract` nothing else is done than it says. `onPlan` receives the reader of each plan of all resources. */
export type ConvergeContext = Readonly<{
  run: Runner
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
    const result = await applyChange(context.run, change.commands, context.nonce, listener)
    if (result.status === 'failed')
      return await reportFailure(context.run, resource.id, change, result, context.retryCommand)
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
