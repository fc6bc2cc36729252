/** Rate limiting within this process: for a single gateway, or for a first try. Several replicas need Redis. */
import { takeFromBucket } from '../core/gcra.ts'
import type { RateLimiter } from '../core/ports.ts'

/** Number of keys above which full buckets are deleted; a full bucket is the same as no bucket. */
const KEYS_SWEEP = 10_000

/** Creates a limiter with no calls counted. */
export function createMemoryLimiter(): RateLimiter {
  const fullAtMs = new Map<string, number>()
  let sweepAt = KEYS_SWEEP
  return {
    take: async (key, callsMax, windowMs, nowMs) => {
      const { fullAtMs: next, ...result } = takeFromBucket(fullAtMs.get(key) ?? 0, callsMax, windowMs, nowMs)
      fullAtMs.set(key, next)
      if (fullAtMs.size > sweepAt) {
        for (const [name, full] of fullAtMs) if (full <= nowMs) fullAtMs.delete(name)
        sweepAt = Math.max(KEYS_SWEEP, fullAtMs.size * 2)
      }
      return result
    },
    ping: async () => {},
    close: async () => {},
  }
}
