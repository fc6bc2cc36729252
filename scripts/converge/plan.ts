/** The plan of a host: the changes of all resources. */

import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { Fact, GetFact } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { PlannedChange } from '../output/event.ts'

/** A resource that needs changes. */
export type PlannedResource = Readonly<{ resource: Resource; changes: readonly Change[] }>

/** A question that a resource asked, and the answer. */
export type AskedFact = Readonly<{ fact: Fact<unknown>; value: unknown }>

/** `asked` is what each resource was planned from, by its id. `refusals` are problems that a person must fix first; with any of them nothing is applied. `unhealthy` is what runs as desired, and not well. */
export type Plan = Readonly<{
  resources: number
  planned: readonly PlannedResource[]
  refusals: readonly FailureText[]
  unhealthy: readonly string[]
  asked: ReadonlyMap<string, readonly AskedFact[]>
}>

function listening(getFact: GetFact, asked: AskedFact[]): GetFact {
  return async (fact) => {
    const value = await getFact(fact)
    asked.push({ fact: fact as Fact<unknown>, value })
    return value
  }
}

/** Plans all resources with one fact reader, so that their facts are requested together. Throws when the facts cannot be read. */
export async function planAll(resources: readonly Resource[], getFact: GetFact): Promise<Plan> {
  const health = Promise.allSettled(resources.map((resource) => resource.health?.(getFact)))
  const asked = new Map<string, AskedFact[]>()
  const results = await Promise.allSettled(
    resources.map((resource) => {
      const facts: AskedFact[] = []
      asked.set(resource.id, facts)
      return resource.plan(listening(getFact, facts))
    }),
  )
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
  return { resources: resources.length, planned, refusals, unhealthy, asked }
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
