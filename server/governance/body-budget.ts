/**
 * The memory budget for bodies of calls in flight: a call holds its body, and what is derived from it, until its
 * response is sent, which may take minutes. Without a bound a few dozen large calls would kill the process, and with
 * it all other calls.
 */

/**
 * Bytes of all bodies in flight. What is derived from a body takes up to six times its size
 * (docs/reference/performance.md), an idle instance 300 MB, and the unit kills one that takes a gigabyte.
 */
export const IN_FLIGHT_BYTES_MAX = 96 * 1024 * 1024

/**
 * Reserves the bytes of a body: returns a function to be called once when its call is over, or undefined when the
 * budget is exhausted.
 */
export type BodyBudget = Readonly<{ reserve: (bodyBytes: number) => (() => void) | undefined }>

/** Creates the budget. */
export function createBodyBudget(budgetBytes: number = IN_FLIGHT_BYTES_MAX): BodyBudget {
  let reservedBytes = 0
  return {
    reserve: (bodyBytes) => {
      if (reservedBytes + bodyBytes > budgetBytes) return undefined
      reservedBytes += bodyBytes
      return () => {
        reservedBytes -= bodyBytes
      }
    },
  }
}
