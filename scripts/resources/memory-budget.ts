/** Limits of memory that fit into the host together: nothing to change, but a reason to refuse. */
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { type HostTraits, hostTraitsFact } from '../facts/host-trait.ts'

/** `sum` is that of all limits, in megabytes; `remedy` is what to change about it, on that host. */
export type MemoryBudgetOptions = Readonly<{
  sum: (traits: HostTraits) => number
  remedy: (traits: HostTraits) => string
}>

/** The budget. More than the host has is refused (exit 5): then Linux ends whichever process it likes. */
export function memoryBudget({ sum, remedy }: MemoryBudgetOptions): Resource {
  return {
    id: 'memory-budget:host',
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const traits = await getFact(hostTraitsFact)
      const needed = sum(traits)
      const { memoryMegabytes } = traits
      if (memoryMegabytes === 0 || needed <= memoryMegabytes) return []
      const why = `they add up to ${needed} MB, and the host has ${memoryMegabytes} MB`
      throw refusedFailure('the limits of memory do not fit into this host', why, remedy(traits))
    },
  }
}
