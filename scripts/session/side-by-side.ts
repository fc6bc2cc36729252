/** Hosts are worked on side by side, but not all of many. */

/** So many hosts are served side by side at most; each costs a connection and some megabytes here. */
export const HOSTS_AT_ONCE_MAX = 32

/** Returns what each gave, in no order that is promised; `atOnceMax` of them at a time. Throws for a defect, after all of them have finished. */
export async function sideBySide<T, R>(
  all: readonly T[],
  run: (each: T) => Promise<R>,
  atOnceMax = HOSTS_AT_ONCE_MAX,
): Promise<readonly R[]> {
  const waiting = [...all]
  const results: R[] = []
  const runNext = async (): Promise<void> => {
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) results.push(await run(each))
  }
  const settled = await Promise.allSettled(Array.from({ length: Math.min(atOnceMax, all.length) }, runNext))
  for (const worker of settled) if (worker.status === 'rejected') throw worker.reason
  return results
}
