/**
 * The limits of memory of what runs on a host: as much as it may have where there is plenty, and less for each where there is not, so that all
 * of them together fit. What somebody wrote stays as it is written.
 */

import { CONNECTORS } from '../../contract/unit.ts'
import { isExternal, type StorageSettings } from '../storage/storage-spec.ts'
import type { ParsedSpec } from './host-spec.ts'
import { isPrepared } from './ingress-spec.ts'
import { hasOpa, type PolicySettings } from './policy-spec.ts'

/**
 * Megabytes (2^20 bytes) by what runs. `gateway` is of one instance; `job` is of migrations or the backup, of which one runs at a time; `identity`
 * is of SPIRE's server and agent and of spiffe-helper together, `tunnel` of its connectors together; 0 without them.
 */
export type MemoryLimits = Readonly<
  Record<
    'gateway' | 'postgres' | 'sharedBuffers' | 'redis' | 'redisData' | 'caddy' | 'tunnel' | 'job' | 'opa' | 'identity',
    number
  >
>

/** The settings that it depends on, as they were written. */
export type MemorySettings = PolicySettings &
  StorageSettings &
  Readonly<{
    instances: number
    postgres: Pick<ParsedSpec['postgres'], 'memoryMegabytes' | 'sharedBuffersMegabytes'>
    redis: ParsedSpec['redis']
    identity?: ParsedSpec['identity']
    /** Caddy alone where there is none. */
    ingress?: ParsedSpec['ingress']
  }>

type Part = 'gateway' | 'postgres' | 'redis' | 'caddy' | 'tunnel' | 'job' | 'opa' | 'identity'

/**
 * With less than `least` a part does not do its work (an instance of the gateway has 180 MB when it starts and some 310 under load), and none
 * gains from more than `most`.
 */
const RANGES: Readonly<Record<Part, Readonly<{ least: number; most: number }>>> = {
  gateway: { least: 320, most: 1024 },
  postgres: { least: 160, most: 1024 },
  redis: { least: 32, most: 128 },
  caddy: { least: 64, most: 512 },
  tunnel: { least: 64 * CONNECTORS, most: 512 },
  job: { least: 128, most: 512 },
  opa: { least: 96, most: 256 },
  identity: { least: 256, most: 640 },
}

/** While instances are moved to another release, the policies of both are served. */
const OPA_COUNT = 2

/** For the system, Docker and the files that Linux keeps in memory: a share, and as much at least. */
const SYSTEM_SHARE = 0.2
/** The least that the system needs beside what is limited. */
export const SYSTEM_MEGABYTES_MIN = 192
const STEP_MEGABYTES = 64

/** Redis may use more than its data: fragmentation and buffers of clients come on top. */
const REDIS_DATA_SHARE = 0.5
/** PostgreSQL's own advice, up to what it had before the machine was asked. */
const SHARED_BUFFERS_SHARE = 0.25
const SHARED_BUFFERS_MEGABYTES_MAX = 256

type Ranges = Readonly<Record<Part, Readonly<{ least: number; most: number }>>>

function rangesOf(settings: MemorySettings): Ranges {
  const { postgres, redis, identity, ingress } = settings
  const fixed = (megabytes: number) => ({ least: megabytes, most: megabytes })
  const { memoryMegabytes, sharedBuffersMegabytes = 0 } = postgres
  const buffered = sharedBuffersMegabytes / SHARED_BUFFERS_SHARE
  const { least, most } = RANGES.postgres
  return {
    ...RANGES,
    ...(hasOpa(settings) ? {} : { opa: fixed(0) }),
    // What is prepared runs beside the other one while they change over.
    ...(ingress === undefined || isPrepared(ingress, 'caddy') ? {} : { caddy: fixed(0) }),
    ...(ingress !== undefined && isPrepared(ingress, 'tunnel') ? {} : { tunnel: fixed(0) }),
    postgres: isExternal(settings, 'database')
      ? fixed(0)
      : memoryMegabytes === undefined
        ? { least: Math.max(least, buffered), most: Math.max(most, buffered) }
        : fixed(memoryMegabytes),
    ...(identity === undefined ? { identity: fixed(0) } : {}),
    ...(isExternal(settings, 'redis')
      ? { redis: fixed(0) }
      : redis.maxMemoryMegabytes === undefined
        ? {}
        : { redis: fixed(redis.maxMemoryMegabytes / REDIS_DATA_SHARE) }),
  }
}

function sumOf(ranges: Ranges, instances: number, end: 'least' | 'most'): number {
  const { gateway, opa, ...others } = ranges
  const sum = gateway[end] * instances + opa[end] * OPA_COUNT
  return Object.values(others).reduce((total, range) => total + range[end], sum)
}

/** Returns the limits for a host with that much memory; 0 where it is not known, which counts as plenty. */
export function memoryLimits(settings: MemorySettings, memoryMegabytes: number): MemoryLimits {
  const ranges = rangesOf(settings)
  // Another kernel keeps some megabytes more or less for itself; no service is restarted for that.
  const memory = Math.floor(memoryMegabytes / STEP_MEGABYTES) * STEP_MEGABYTES
  const [least, most] = [sumOf(ranges, settings.instances, 'least'), sumOf(ranges, settings.instances, 'most')]
  const free = memory - Math.max(SYSTEM_MEGABYTES_MIN, memory * SYSTEM_SHARE)
  const share = memoryMegabytes === 0 || most === least ? 1 : Math.min(1, Math.max(0, (free - least) / (most - least)))
  const of = (part: Part) => Math.floor(ranges[part].least + (ranges[part].most - ranges[part].least) * share)
  const [postgres, redis] = [of('postgres'), of('redis')]
  const buffers = Math.min(SHARED_BUFFERS_MEGABYTES_MAX, Math.floor(postgres * SHARED_BUFFERS_SHARE))
  return {
    ...{ gateway: of('gateway'), postgres, redis, caddy: of('caddy'), tunnel: of('tunnel') },
    ...{ job: of('job'), opa: of('opa'), identity: of('identity') },
    sharedBuffers: settings.postgres.sharedBuffersMegabytes ?? buffers,
    redisData: Math.floor(redis * REDIS_DATA_SHARE),
  }
}

/** Returns the sum of the limits, which is what may be used at once. */
export function memorySum(
  { gateway, postgres, redis, caddy, tunnel, job, opa, identity }: MemoryLimits,
  instances: number,
): number {
  return gateway * instances + postgres + redis + caddy + tunnel + job + opa * OPA_COUNT + identity
}
