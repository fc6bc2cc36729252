/** The machine's own clock and randomness. */
import { randomBytes } from 'node:crypto'
import type { Clock, Random } from '../core/ports.ts'

/** The clock of this machine. */
export const systemClock: Clock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() }

/**
 * Bytes that are read from the kernel's generator at a time: a call needs six ids, and one read for each would be a
 * twentieth of the gateway's own time.
 */
const POOL_BYTES = 4096

/** Creates a source of randomness from the kernel. No byte is returned twice. */
export function createRandom(): Random {
  let pool = new Uint8Array()
  let used = 0
  return {
    bytes: (count) => {
      // A new pool, not the same one filled again: what was returned is a view of the old one.
      if (used + count > pool.length) {
        pool = randomBytes(Math.max(count, POOL_BYTES))
        used = 0
      }
      used += count
      return pool.subarray(used - count, used)
    },
  }
}
