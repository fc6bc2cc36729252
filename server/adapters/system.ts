/** The machine's own clock and randomness. */
import { randomFillSync } from 'node:crypto'
import type { Clock, Random } from '../core/ports.ts'

/** The clock of this machine. */
export const systemClock: Clock = { nowMs: () => Date.now(), elapsedMs: () => performance.now() }

/** Bytes that are read from the kernel's generator at a time: one call for many small requests. */
const POOL_BYTES = 4096

/** Creates a source of randomness from the kernel. No byte is returned twice. */
export function createRandom(): Random {
  const pool = Buffer.alloc(POOL_BYTES)
  let usedBytes = POOL_BYTES
  return {
    bytes: (count) => {
      if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count))
      if (usedBytes + count > POOL_BYTES) {
        randomFillSync(pool)
        usedBytes = 0
      }
      usedBytes += count
      // Cheaper than slice() for the few bytes of an id.
      const bytes = new Uint8Array(count)
      for (let index = 0; index < count; index++) bytes[index] = pool[usedBytes - count + index] as number
      return bytes
    },
  }
}
