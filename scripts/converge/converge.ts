/**
 * Converges a host to the desired state: plan all, apply in order, plan again until the plan is empty.
 * State decides at every step, so the next run completes a run that was killed anywhere.
 */

import { Failure, type FailureText } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import type { StepFailure } from '../output/event.ts'
import { GuardedGroup } from './guarded-group.ts'
import { judgeHealth } from './health-verdict.ts'
import { type Plan, planAll } from './plan.ts'
import type { ConvergeContext } from './resource-step.ts'
import { undoAll } from './undo.ts'

/** The result; `applied` is the number of changes applied. */
export type ConvergeResult = Readonly<{ applied: number }> &
  (
    | Readonly<{ status: 'up-to-date' }>
    | Readonly<{ status: 'unhealthy'; unhealthy: readonly string[] }>
    | Readonly<{ status: 'refused'; reasons: readonly FailureText[] }>
    | Readonly<{ status: 'interrupted'; remaining: number }>
    | Readonly<{ status: 'failed'; failure: StepFailure; remaining: number }>
    | Readonly<{ status: 'rolled-back'; failure: StepFailure; remaining: number }>
    | Readonly<{ status: 'aborted'; failure: Failure; remaining: number }>
    | Readonly<{ status: 'not-converged'; plan: Plan }>
  )

/** A change may cause another one (a new credential, a restart), so another round may be needed; more than three are a defect. */
const ROUNDS_MAX = 3

/** Converges the resources. A connection that is lost later is a result too. Throws when the first plan fails, and for defects. */
export async function converge(resources: readonly Resource[], context: ConvergeContext): Promise<ConvergeResult> {
  let applied = 0
  /** Guarded changes of a run that nobody watches; all else goes on without them. */
  const unconfirmed = new Map<string, StepFailure>()
  for (let round = 0; ; round++) {
    const getFact = context.freshFacts()
    const plan = await planAll(resources, getFact)
    context.onPlan?.(getFact)
    if (plan.refusals.length > 0) return { status: 'refused', reasons: plan.refusals, applied }
    const differences = round === 0 ? (context.contract?.differences(plan) ?? []) : []
    if (differences.length > 0) return { status: 'refused', reasons: differences, applied }
    const planned = plan.planned.filter(({ resource }) => !unconfirmed.has(resource.id))
    const [failure] = unconfirmed.values()
    if (planned.length === 0 && failure !== undefined)
      return { status: 'rolled-back', failure, remaining: unconfirmed.size, applied }
    if (planned.length === 0) {
      const unhealthy = await judgeHealth(resources, context, plan.unhealthy)
      return unhealthy.length === 0 ? { status: 'up-to-date', applied } : { status: 'unhealthy', unhealthy, applied }
    }
    if (round === ROUNDS_MAX) return { status: 'not-converged', plan, applied }
    const group = new GuardedGroup({ ...context, isPutBack: () => unconfirmed.size > 0 }, resources, planned)
    for (const [index, { resource }] of planned.entries()) {
      if (unconfirmed.has(resource.id)) continue
      const remaining = planned.length - index
      if (!group.isOpen() && context.shouldStop()) return { status: 'interrupted', remaining, applied }
      const outcome = await group.apply({ resource, step: index + 1, steps: planned.length })
      if (outcome instanceof Failure) return { status: 'aborted', failure: outcome, remaining, applied }
      if (typeof outcome !== 'number' && outcome.isPutBack === true && context.watch !== undefined) {
        for (const id of [resource.id, ...group.fellowsOf(resource)]) unconfirmed.set(id, outcome)
        continue
      }
      if (typeof outcome !== 'number') {
        const isUndone = await undoAll(resources, { ...context, contract: undefined })
        const status = isUndone || outcome.isPutBack ? 'rolled-back' : 'failed'
        return { status, failure: outcome, remaining, applied }
      }
      applied += outcome
    }
  }
}
