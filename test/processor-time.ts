/** Whether work grows as its input does, by the time of one thread: for what can't be counted. */

/** Inputs that are this many times the first: the second look is only taken where the first was not clear. */
const FIRST_LOOK = 4
const SECOND_LOOK = 16

/** Times below this, in milliseconds, are too short to say anything. */
const FLOOR_MS = 20

/**
 * Returns the processor time of a piece of work in milliseconds. Only this thread counts: neither other programs nor the
 * collector's own threads are part of it.
 */
export function processorMs(run: () => void): number {
  const before = process.threadCpuUsage()
  run()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}

/**
 * Says why work is not linear; undefined when it is. `prepare` makes the work for an input that is so many times the first.
 * What grows with the square takes 16 times as long for 4 times the input, 256 times for 16 times: limits of 9 and 64
 * leave room for a busy machine, and it must be above both. The least time of some runs is compared, since whatever else
 * a machine does only ever adds.
 */
export function growthOf(prepare: (times: number) => () => void): string | undefined {
  const small = prepare(1)
  const first = growthTo(small, prepare(FIRST_LOOK), { limit: 9, runs: 10 })
  if (first === undefined) return undefined
  const second = growthTo(small, prepare(SECOND_LOOK), { limit: 64, runs: 3 })
  return second === undefined ? undefined : `${FIRST_LOOK} times the input: ${first}; ${SECOND_LOOK} times: ${second}`
}

type Look = { readonly limit: number; readonly runs: number }

function growthTo(small: () => void, large: () => void, { limit, runs }: Look): string | undefined {
  let [smallMs, largeMs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let run = 0; run < runs; run++) {
    largeMs = Math.min(largeMs, processorMs(large))
    if (largeMs < FLOOR_MS) return undefined
    smallMs = Math.min(smallMs, processorMs(small))
    if (largeMs <= limit * Math.max(smallMs, FLOOR_MS / 4)) return undefined
  }
  return `${smallMs} ms, then ${largeMs} ms`
}
