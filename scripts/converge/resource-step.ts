/** One resource brought to the wanted state: planned on fresh facts, applied, planned again. */

import type { Know, Runner } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { StepFailure, Tell } from '../output/event.ts'
import { applyChange } from './apply.ts'
import { reportFailure } from './failure-report.ts'

/** `look` gives fresh facts; `shouldStop` is asked between steps; `again` is the command line that goes on with the run. */
export type Hands = Readonly<{
  run: Runner
  look: () => Know
  nonce: () => string
  nowMs: () => number
  shouldStop: () => boolean
  tell: Tell
  again: string
}>

/** Which of how many, counted from 1. */
export type Step = Readonly<{ resource: Resource; step: number; steps: number }>

async function applyAll(
  hands: Hands,
  { resource, step }: Step,
  changes: readonly Change[],
): Promise<StepFailure | undefined> {
  const hear = {
    command: (command: string) => hands.tell({ event: 'command-started', step, command }),
    line: (line: string) => hands.tell({ event: 'said', step, line }),
  }
  for (const change of changes) {
    const result = await applyChange(hands.run, change.commands, hands.nonce, hear)
    if (result.status === 'failed') return await reportFailure(hands.run, resource.id, change, result, hands.again)
  }
  const [left] = await resource.plan(hands.look())
  if (left === undefined) return undefined
  const said = [`still wanted afterwards: ${left.does}, because ${left.because}`]
  return { resource: resource.id, does: left.does, command: 'plan again', code: 1, said, next: hands.again }
}

/** Gives the number of changes made, or how one failed; a change that did not take is a failure. Throws when the host could not be reached. */
export async function settle(hands: Hands, at: Step): Promise<number | StepFailure> {
  const { resource, step, steps } = at
  const startMs = hands.nowMs()
  const changes = await resource.plan(hands.look())
  const isLeft = changes.length > 0
  const does = isLeft ? changes.map((change) => change.does).join('; ') : 'nothing left to do'
  const because = isLeft ? changes.map((change) => change.because).join('; ') : 'it is as wanted by now'
  hands.tell({ event: 'step-started', step, steps, resource: resource.id, does, because })
  const failure = isLeft ? await applyAll(hands, at, changes) : undefined
  if (failure !== undefined) {
    hands.tell({ event: 'step-failed', step, steps, failure })
    return failure
  }
  const ms = Math.round(hands.nowMs() - startMs)
  hands.tell({ event: 'step-finished', step, steps, resource: resource.id, isApplied: isLeft, ms })
  return changes.length
}
