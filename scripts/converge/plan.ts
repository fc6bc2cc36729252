/** What a host lacks: every resource's changes, found in one look. */

import { EXIT_CODE } from '../core/exit-code.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { Know } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import type { ShownChange } from '../output/event.ts'

/** A resource that is not as wanted. */
export type Planned = Readonly<{ resource: Resource; changes: readonly Change[] }>

/** `refusals` are what a person must put right first; with one of them nothing is applied. */
export type Plan = Readonly<{ resources: number; planned: readonly Planned[]; refusals: readonly FailureText[] }>

/** Plans all resources on one `Know`: their questions go out together. Throws when the host could not be asked. */
export async function planAll(resources: readonly Resource[], know: Know): Promise<Plan> {
  const settled = await Promise.allSettled(resources.map((resource) => resource.plan(know)))
  const planned: Planned[] = []
  const refusals: FailureText[] = []
  for (const [index, result] of settled.entries()) {
    const resource = resources[index] as Resource
    if (result.status === 'fulfilled') {
      if (result.value.length > 0) planned.push({ resource, changes: result.value })
    } else if (result.reason instanceof Failure && result.reason.code === EXIT_CODE.refused) {
      refusals.push({ where: resource.id, ...result.reason.text })
    } else throw result.reason
  }
  return { resources: resources.length, planned, refusals }
}

/** The changes as they are shown, in order. */
export function shownChanges({ planned }: Plan): readonly ShownChange[] {
  return planned.flatMap(({ resource, changes }) =>
    changes.map(({ does, because, diff }) => ({
      resource: resource.id,
      does,
      because,
      ...(diff === undefined ? {} : { diff }),
    })),
  )
}
