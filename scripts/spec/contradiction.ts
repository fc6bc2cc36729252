/** Settings of a host that contradict each other. */
import type { FirewallSpec } from '../firewall/firewall-spec.ts'
import { isExternal, type StorageSettings } from '../storage/storage-spec.ts'

/** Connections that a gateway holds at most, and those that migrations, the backup and an operator need besides. */
const CONNECTIONS_PER_INSTANCE = 10
const OTHER_CONNECTIONS = 10

/** PostgreSQL's own advice is a quarter of the memory; above half it has no room for the queries themselves. */
const SHARED_BUFFERS_SHARE_MAX = 0.5

/** The settings that are compared. */
type Compared = StorageSettings &
  Readonly<{
    instances: number
    firewall: FirewallSpec
    postgres: Readonly<
      Record<'maxConnections', number> &
        Partial<Record<'memoryMegabytes' | 'sharedBuffersMegabytes', number | undefined>>
    >
  }>

/** Returns what is wrong between settings that are right each for itself, with the keys that it is about. */
export function contradictions({
  instances,
  firewall,
  postgres,
  storage,
}: Compared): readonly (readonly [keys: readonly string[], problem: string])[] {
  const needed = instances * CONNECTIONS_PER_INSTANCE + OTHER_CONNECTIONS
  const { maxConnections, memoryMegabytes, sharedBuffersMegabytes } = postgres
  const buffersMax =
    memoryMegabytes === undefined ? Number.POSITIVE_INFINITY : Math.floor(memoryMegabytes * SHARED_BUFFERS_SHARE_MAX)
  const isElsewhere = isExternal({ storage }, 'database') || isExternal({ storage }, 'redis')
  return [
    // Their addresses are secrets, which no list that everybody may read can hold.
    ...(isElsewhere && firewall !== 'none' && firewall.outbound?.length === 0
      ? [[['firewall', 'outbound'], 'has to let the host out to its storage, which is external'] as const]
      : []),
    ...(maxConnections < needed && !isExternal({ storage }, 'database')
      ? [
          [
            ['postgres', 'maxConnections'],
            `${instances} instances need at least ${needed}, found ${maxConnections}`,
          ] as const,
        ]
      : []),
    ...(sharedBuffersMegabytes !== undefined && sharedBuffersMegabytes > buffersMax
      ? [
          [
            ['postgres', 'sharedBuffersMegabytes'],
            `at most half of postgres.memoryMegabytes (${buffersMax}), found ${sharedBuffersMegabytes}`,
          ] as const,
        ]
      : []),
  ]
}
