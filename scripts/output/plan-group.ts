/** Hosts with the same plan come together. */
import type { Event } from './event.ts'

/** The event of a plan. */
export type PlanEvent = Extract<Event, { event: 'plan' }>

/** Returns what two plans have in common when they are the same: each change with its reason, and how files change. */
export function planKey({ resources, changes }: PlanEvent): string {
  return JSON.stringify([resources, changes])
}

/** Returns the groups, in the order of their first hosts. */
export function groupEqualPlans(
  plans: Iterable<readonly [host: string, plan: PlanEvent]>,
): readonly Readonly<{ hosts: readonly string[]; plan: PlanEvent }>[] {
  const groups = Map.groupBy(plans, ([, plan]) => planKey(plan))
  return [...groups.values()].flatMap((members) => {
    const [first] = members
    return first === undefined ? [] : [{ hosts: members.map(([host]) => host), plan: first[1] }]
  })
}
