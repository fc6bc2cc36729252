/** Whether a host on which everything is as desired is well, too. */
import type { Resource } from '../core/resource.ts'
import { planAll } from './plan.ts'
import type { ConvergeContext } from './resource-step.ts'

/** What is not well may be so for a moment only: it is asked again after so many seconds, so many times. */
const PAUSE_SECONDS = '2'
const TRIES_MAX = 3

/** Returns what is not well, and stays so. `first` is what the last plan found. */
export async function judgeHealth(
  resources: readonly Resource[],
  { run, freshFacts }: ConvergeContext,
  first: readonly string[],
): Promise<readonly string[]> {
  let unhealthy = first
  for (let tries = 1; unhealthy.length > 0 && tries < TRIES_MAX; tries++) {
    await run({ argv: ['sleep', PAUSE_SECONDS], effect: 'read' })
    unhealthy = (await planAll(resources, freshFacts())).unhealthy
  }
  return unhealthy
}
