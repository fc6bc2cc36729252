/** What governs calls: the steps, the families of their findings, the ports, and the limits that steps read. */
import type { FamilyRegistry } from '../core/finding-family.ts'
import type { Inspector } from '../core/inspection.ts'
import type { Ports } from '../core/ports.ts'
import type { Step, StepContext } from '../core/step.ts'
import type { FindingCache } from './finding-cache.ts'

/** `aliasKey` is behind the aliases of ids, and stays secret. Without a `findingCache` everything is scanned each time, without an `inspector` in this thread. */
export type Gateway = Readonly<{
  steps: readonly Step[]
  registry: FamilyRegistry
  ports: Ports
  limits: StepContext['limits']
  aliasKey: Uint8Array
  /** Where clients reach the gateway; without it they are told paths. */
  publicUrl?: string
  findingCache?: FindingCache
  inspector?: Inspector
}>
