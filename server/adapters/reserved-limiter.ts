/**
 * A rate limiter that lets no call pass while the disk of the ledger has no more than its reserve left. So calls are refused before the database is out of room, and
 * what is left is for the entries that say so; they pass again by themselves when there is room.
 */
import { statfs } from 'node:fs/promises'
import type { Clock, RateLimiter } from '../core/ports.ts'

/** What is held back: so much, or that share of a small disk. It is some hundred thousand refusals. */
const RESERVE_BYTES = 512 * 1024 ** 2
const RESERVE_SHARE = 0.05

/** How old an answer about the disk may be. */
const ASK_MS = 1000

/** What is asked of a disk. */
export type Disk = Readonly<{ blocks: number; bavail: number; bsize: number }>

/** Whether no more is left than the reserve. Pure. */
export function isReserveReached({ blocks, bavail, bsize }: Disk): boolean {
  return bavail * bsize < Math.min(RESERVE_BYTES, blocks * bsize * RESERVE_SHARE)
}

/** Puts the reserve before a limiter; `folder` is on the disk of the database. A disk that can't be asked is no reason to refuse: the ledger says itself what it can't write. */
export function createReservedLimiter(
  limiter: RateLimiter,
  folder: string,
  { elapsedMs }: Pick<Clock, 'elapsedMs'>,
  ask: (folder: string) => Promise<Disk> = statfs,
): RateLimiter {
  let askedMs = Number.NEGATIVE_INFINITY
  let answer = Promise.resolve(false)
  const isShort = (): Promise<boolean> => {
    if (elapsedMs() - askedMs >= ASK_MS) {
      askedMs = elapsedMs()
      answer = ask(folder).then(isReserveReached, () => false)
    }
    return answer
  }
  return {
    ...limiter,
    take: async (...call) => {
      if (await isShort()) throw new Error('the disk of the ledger has only its reserve left')
      return await limiter.take(...call)
    },
  }
}
