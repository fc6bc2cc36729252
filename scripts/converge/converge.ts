/**
 * Brings a host to the wanted state: plan all, apply in order, plan again until the plan is empty.
 * State decides at every step, so a run that was killed anywhere is completed by the next.
 */

import { Failure, type FailureText } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import type { StepFailure } from '../output/event.ts'
import { type Plan, planAll } from './plan.ts'
import { type Hands, type Step, settle } from './resource-step.ts'

/** How it ended; `applied` counts the changes made. */
export type Ending = Readonly<{ applied: number }> &
  (
    | Readonly<{ status: 'as-wanted' }>
    | Readonly<{ status: 'refused'; reasons: readonly FailureText[] }>
    | Readonly<{ status: 'interrupted'; remaining: number }>
    | Readonly<{ status: 'failed'; failure: StepFailure; remaining: number }>
    | Readonly<{ status: 'broken-off'; failure: Failure; remaining: number }>
    | Readonly<{ status: 'unsettled'; plan: Plan }>
  )

/** A change may bring another about (a new credential, a restart), so there may be another round; more than three are a defect. */
const ROUNDS_MAX = 3

async function settleOrFail(hands: Hands, step: Step): Promise<number | StepFailure | Failure> {
  try {
    return await settle(hands, step)
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
}

/** A connection that dies on the way is an ending too. Throws when the host could not be looked at to begin with, and for defects. */
export async function converge(resources: readonly Resource[], hands: Hands): Promise<Ending> {
  let applied = 0
  for (let round = 0; ; round++) {
    const plan = await planAll(resources, hands.look())
    if (plan.refusals.length > 0) return { status: 'refused', reasons: plan.refusals, applied }
    if (plan.planned.length === 0) return { status: 'as-wanted', applied }
    if (round === ROUNDS_MAX) return { status: 'unsettled', plan, applied }
    for (const [index, { resource }] of plan.planned.entries()) {
      const remaining = plan.planned.length - index
      if (hands.shouldStop()) return { status: 'interrupted', remaining, applied }
      const settled = await settleOrFail(hands, { resource, step: index + 1, steps: plan.planned.length })
      if (settled instanceof Failure) return { status: 'broken-off', failure: settled, remaining, applied }
      if (typeof settled !== 'number') return { status: 'failed', failure: settled, remaining, applied }
      applied += settled
    }
  }
}
