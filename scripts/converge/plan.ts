/** The plan of a host: the changes of all resources. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { PlannedChange } from '../output/event.ts'

/** A resource that needs changes. */
export type PlannedResource = Readonly<{ resource: Resource; changes: readonly Change[] }>

/** `refusals` are problems that a person must fix first; with any of them nothing is applied. `unhealthy` is what runs as desired, and not well. */
export type Plan = Readonly<{
  resources: number
  planned: readonly PlannedResource[]
  refusals: readonly FailureText[]
  unhealthy: readonly string[]
}>

/** Plans all resources with one fact reader, so that their facts are requested together. Throws when the facts cannot be read. */
export async function planAll(resources: readonly Resource[], getFact: GetFact): Promise<Plan> {
  const health = Promise.allSettled(resources.map((resource) => resource.health?.(getFact)))
  const results = await Promise.allSettled(resources.map((resource) => resource.plan(getFact)))
  const planned: PlannedResource[] = []
  const refusals: FailureText[] = []
  for (const [index, result] of results.entries()) {
    const resource = resources[index] as Resource
    if (result.status === 'fulfilled') {
      if (result.value.length > 0) planned.push({ resource, changes: result.value })
    } else if (result.reason instanceof Failure && result.reason.code === EXIT_CODE.refused) {
      refusals.push({ where: resource.id, ...result.reason.text })
    } else throw result.reason
  }
  const unhealthy = (await health).flatMap((result) => (result.status === 'fulfilled' ? (result.value ?? []) : []))
  return { resources: resources.length, planned, refusals, unhealthy }
}

/** Returns the changes of a plan, in order. */
export function plannedChanges({ planned }: Plan): readonly PlannedChange[] {
  return planned.flatMap(({ resource, changes }) =>
    changes.map(({ action, reason, diff }) => ({
      ...(resource.role === undefined ? {} : { role: resource.role }),
      resource: resource.id,
      action,
      reason,
      ...(diff === undefined ? {} : { diff }),
    })),
  )
}
