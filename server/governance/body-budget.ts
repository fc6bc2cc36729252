/**
 * Room for the bodies of calls that are in hand: a call holds its body, and what is made of it, until its answer has left,
 * which may be minutes. Without a bound a few dozen large ones would end the process, and with it all other calls.
 */

/**
 * Bytes of all bodies in hand together. What is made of a body takes up to six times its room
 * (docs/reference/performance.md), an instance at rest 300 MB, and the unit ends one that takes a gigabyte.
 */
export const IN_FLIGHT_BYTES_MAX = 96 * 1024 * 1024

/** Takes a body in: returns what is to be called once when its call is over, or undefined when there is no room. */
export type BodyBudget = Readonly<{ reserve: (bodyBytes: number) => (() => void) | undefined }>

/** Creates the room. */
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
