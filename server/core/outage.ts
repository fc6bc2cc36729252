/** A dependency that is away for a moment, because it restarts: calls wait for it a while, and once it has been away for longer they fail at once. */

/** What waits. `elapsedMs` is a monotonic clock; a dependency is waited for until it has been away for `waitMs`, and asked again each `everyMs`. */
export type OutageOptions = Readonly<{
  elapsedMs: () => number
  pause: (ms: number) => Promise<unknown>
  waitMs: number
  everyMs: number
  /** Whether an error says that the dependency is away, and that nothing was done of what it was asked. */
  isAway: (error: unknown) => boolean
}>

/** Does the work, again and again while the dependency is away. Rejects with the last error. */
export type WaitOut = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Returns a function that waits out the outages of one dependency. All that waits shares what is known of an outage: it begins with the first error, and ends
 * with the first success.
 */
export function createWaitOut({ elapsedMs, pause, waitMs, everyMs, isAway }: OutageOptions): WaitOut {
  let beganMs: number | undefined
  return async (work) => {
    for (;;) {
      try {
        const result = await work()
        beganMs = undefined
        return result
      } catch (error) {
        if (!isAway(error)) throw error
        beganMs ??= elapsedMs()
        if (elapsedMs() - beganMs >= waitMs) throw error
        await pause(everyMs)
      }
    }
  }
}
