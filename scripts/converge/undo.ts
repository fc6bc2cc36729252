/** What a run does when a step has failed: resources that know how put back in force what was before. */
import { Failure } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import { type ConvergeContext, tryConvergeResource } from './resource-step.ts'

/** Undoes, the last resource first. Returns whether there was something to put back, and all of it is. Failures are reported. */
export async function undoAll(resources: readonly Resource[], context: ConvergeContext): Promise<boolean> {
  const undoable = resources.filter(({ undo }) => undo !== undefined).toReversed()
  let undone = 0
  for (const [index, { undo, ...resource }] of undoable.entries()) {
    const step = { resource: { ...resource, plan: undo ?? resource.plan }, step: index + 1, steps: undoable.length }
    const outcome = await tryConvergeResource(context, step)
    if (outcome instanceof Failure) context.emit({ event: 'error', failure: outcome.text })
    if (typeof outcome !== 'number') return false
    undone += outcome
  }
  return undone > 0
}
