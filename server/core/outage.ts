/** A dependency that is away for a moment, because it restarts: calls wait for it a while, and once it has been away for longer they fail at once. */

/**
 * What waits. `elapsedMs` is a monotonic clock; a dependency is waited for until it has been away for `waitMs`, and no piece of work for longer than that; it is asked again
 * each `everyMs`.
 */
export type OutageOptions = Readonly<{
  elapsedMs: () => number
  pause: (ms: number) => Promise<unknown>
  waitMs: number
  everyMs: number
}>

/**
 * Does the work, again and again while the dependency is away. `isAway`: whether an error says that it is, and that the work may be done again. Rejects with the last
 * error.
 */
export type WaitOut = <T>(work: () => Promise<T>, isAway: (error: unknown) => boolean) => Promise<T>

/**
 * Returns a function that waits out the outages of one dependency. All that waits shares what is known of an outage: it begins with the first error, and ends
 * with the first success.
 */
export function createWaitOut({ elapsedMs, pause, waitMs, everyMs }: OutageOptions): WaitOut {
  let beganMs: number | undefined
  return async (work, isAway) => {
    // Others may be answered in between, as by a pool that has too few connections: that ends their outage, and not what this one waits.
    let ownMs: number | undefined
    for (;;) {
      try {
        const result = await work()
        beganMs = undefined
        return result
      } catch (error) {
        if (!isAway(error)) throw error
        const nowMs = elapsedMs()
        beganMs ??= nowMs
        ownMs ??= nowMs
        if (nowMs - Math.min(beganMs, ownMs) >= waitMs) throw error
        await pause(everyMs)
      }
    }
  }
}
