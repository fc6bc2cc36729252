/** What metrics tell of now (pools, queues, dependencies, disk), read each time when somebody asks for them. */
import { statfs } from 'node:fs/promises'
import type { Prometheus } from '../adapters/prometheus.ts'
import type { Config } from '../config/config.ts'
import type { Clock, Database, PoolUse } from '../core/ports.ts'
import type { ReplyWatch } from '../http/reply-watch.ts'
import type { About } from '../observability/about.ts'
import type { NameOf } from '../observability/metric-table.ts'
import type { Readiness } from '../observability/readiness.ts'
import type { Gateway } from '../pipeline/gateway.ts'

/** Who is asked. */
export type GaugeSources = Readonly<{
  config: Pick<Config, 'ledger'>
  gateway: Pick<Gateway, 'ports' | 'inspector'>
  database: Database
  replies: Pick<ReplyWatch, 'inFlight' | 'streamsOpen'>
  readiness: Pick<Readiness, 'check'>
  about: About
  clock: Clock
  licenseEndMs: number | undefined
  countAgents: () => Promise<number>
}>

type Gauges = Pick<Prometheus, 'gauge' | 'forget' | 'beforeReading'>

/** Has them read before each time that metrics are given. One that can't be read now is left out. */
export function readGauges(meter: Gauges, sources: GaugeSources): void {
  const { about, gateway, clock, licenseEndMs } = sources
  meter.gauge('tappass_build_info', 1, about.version, about.revision, process.version, about.policy)
  if (licenseEndMs !== undefined) meter.gauge('tappass_license_expires_timestamp_seconds', licenseEndMs / 1000)
  meter.beforeReading(() => meter.gauge('tappass_clock_timestamp_seconds', clock.nowMs() / 1000))
  meter.beforeReading(() => readQueues(meter, sources))
  meter.beforeReading(() => readPools(meter, sources))
  meter.beforeReading(() => readDependencies(meter, sources.readiness))
  meter.beforeReading(() => readRedis(meter, gateway.ports.limiter))
  meter.beforeReading(() => readDisk(meter, sources.config.ledger.checkpointFolder))
  meter.beforeReading(async () => {
    meter.forget('tappass_active_agents')
    meter.gauge('tappass_active_agents', await sources.countAgents())
  })
}

function readQueues(meter: Gauges, { gateway, replies }: GaugeSources): void {
  meter.gauge('tappass_http_requests_in_flight', replies.inFlight())
  meter.gauge('tappass_http_streams_open', replies.streamsOpen())
  const ledger = gateway.ports.ledger.pending?.()
  meter.gauge('tappass_ledger_entries_pending', ledger?.count ?? 0)
  meter.gauge('tappass_ledger_lag_seconds', (ledger?.oldestMs ?? 0) / 1000)
  const inspector = gateway.inspector?.pending?.()
  meter.gauge('tappass_inspections_pending', inspector?.count ?? 0)
  meter.gauge('tappass_inspection_oldest_seconds', (inspector?.oldestMs ?? 0) / 1000)
}

type PoolNames = Readonly<Record<'connections' | 'max' | 'waiting', NameOf<'gauge'>>>

function readPools(meter: Gauges, { gateway, database }: GaugeSources): void {
  showPool(meter, database.use?.(), {
    connections: 'tappass_database_connections',
    max: 'tappass_database_connections_max',
    waiting: 'tappass_database_requests_waiting',
  })
  for (const upstream of new Set(gateway.ports.routes.map((route) => route.upstream))) {
    const names = {
      connections: 'tappass_upstream_connections',
      max: 'tappass_upstream_connections_max',
      waiting: 'tappass_upstream_requests_waiting',
    } as const
    showPool(meter, upstream.use?.(), names, upstream.name)
  }
}

function showPool(meter: Gauges, use: PoolUse | undefined, names: PoolNames, ...labels: readonly string[]): void {
  if (use === undefined) return
  meter.gauge(names.connections, use.open - use.idle, ...labels, 'active')
  meter.gauge(names.connections, use.idle, ...labels, 'idle')
  meter.gauge(names.max, use.max, ...labels)
  meter.gauge(names.waiting, use.waiting, ...labels)
}

/** `opa` is the policy engine and `redis` the limiter, wherever they are: so health routes name them. */
async function readDependencies(meter: Gauges, readiness: Pick<Readiness, 'check'>): Promise<void> {
  const { isReady, checks } = await readiness.check()
  meter.gauge('tappass_ready', isReady ? 1 : 0)
  for (const [name, { status, ms }] of Object.entries(checks)) {
    meter.gauge('tappass_dependency_up', status === 'failed' ? 0 : 1, name)
    meter.gauge('tappass_dependency_check_seconds', ms / 1000, name)
  }
}

async function readRedis(meter: Gauges, { memory }: Gateway['ports']['limiter']): Promise<void> {
  meter.forget('tappass_redis_memory_used_bytes')
  meter.forget('tappass_redis_memory_max_bytes')
  if (memory === undefined) return
  const { usedBytes, limitBytes } = await memory()
  meter.gauge('tappass_redis_memory_used_bytes', usedBytes)
  if (limitBytes > 0) meter.gauge('tappass_redis_memory_max_bytes', limitBytes)
}

async function readDisk(meter: Gauges, folder: string | undefined): Promise<void> {
  if (folder === undefined) return
  const { blocks, bavail, bsize } = await statfs(folder)
  meter.gauge('tappass_disk_size_bytes', blocks * bsize)
  meter.gauge('tappass_disk_free_bytes', bavail * bsize)
}
