/**
 * Counts calls in Redis, so that all replicas share a window. When Redis does not answer, `take` throws: the step fails
 * and the call is refused. It never opens and never counts elsewhere instead.
 */
import { Redis } from 'ioredis'
import type { RateLimiter } from '../core/ports.ts'

/** How long a command or a connection may take. Redis answers in well under a millisecond. */
const TIMEOUT_MS = 1000

/** Longest wait between two attempts to connect again. */
const RETRY_MS_MAX = 1000

/**
 * core/bucket.ts in Lua: one key, read and written in one step on the server. The moment is written with its fraction, and the
 * key goes when the bucket is full. Answers are texts, for Redis cuts numbers down to whole ones.
 */
const TAKE = `local callMs = tonumber(ARGV[2]) / tonumber(ARGV[1])
local windowMs, nowMs = tonumber(ARGV[2]), tonumber(ARGV[3])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), nowMs) + callMs
local overMs = full - nowMs - windowMs
if overMs > math.min(callMs / 2, 0.5) then return {0, 0, string.format('%.3f', overMs)} end
redis.call('SET', KEYS[1], string.format('%.6f', full), 'PX', math.max(1, math.ceil(full - nowMs)))
local remaining = math.max(0, math.floor((windowMs - (full - nowMs)) / callMs + 1 / 20))
return {1, remaining, string.format('%.3f', full - nowMs)}`

type Taking = Redis & {
  tappassTake: (key: string, callsMax: number, windowMs: number, nowMs: number) => Promise<[0 | 1, number, string]>
}

/**
 * Takes `redis://host:port` or `unix:///path/to.sock`; `report` hears of lost connections. Connects in the background and
 * again after every loss; until it is connected, `take` throws at once.
 */
export function makeRedisLimiter(url: string, report: (cause: Error) => void): RateLimiter {
  const redis = new Redis(url.startsWith('unix:') ? decodeURIComponent(new URL(url).pathname) : url, {
    enableOfflineQueue: false,
    // Calls of the same turn share one write to the socket.
    enableAutoPipelining: true,
    maxRetriesPerRequest: 0,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    retryStrategy: (attempt) => Math.min(RETRY_MS_MAX, attempt * 50),
    scripts: { tappassTake: { lua: TAKE, numberOfKeys: 1 } },
  }) as Taking
  redis.on('error', report)
  return {
    take: async (key, callsMax, windowMs, nowMs) => {
      const [isAllowed, remaining, resetMs] = await redis.tappassTake(key, callsMax, windowMs, nowMs)
      return { isAllowed: isAllowed === 1, remaining, resetMs: Math.ceil(Number(resetMs)) }
    },
    ping: async () => {
      await redis.ping()
    },
    close: async () => {
      redis.disconnect()
    },
  }
}
