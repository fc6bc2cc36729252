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

/** An agent's share of the budget, as a divisor: a third, so that one agent can't take all of it. */
const SHARES = 3

/**
 * The room of one body. `settle`: the body is read and has this many bytes; what was reserved beyond them is given back.
 * `release`: its call is over.
 */
export type Reservation = Readonly<{ settle: (bodyBytes: number) => void; release: () => void }>

/** Reserves the bytes of an agent's body; undefined when the budget, or the agent's share of it, is exhausted. */
export type BodyBudget = Readonly<{ reserve: (agentUuid: string, bodyBytes: number) => Reservation | undefined }>

/** Creates the budget. */
export function createBodyBudget(budgetBytes: number = IN_FLIGHT_BYTES_MAX): BodyBudget {
  const shareBytes = budgetBytes / SHARES
  const reservedOf = new Map<string, number>()
  let reservedBytes = 0

  function add(agentUuid: string, bytes: number): void {
    reservedBytes += bytes
    const ofAgent = (reservedOf.get(agentUuid) ?? 0) + bytes
    if (ofAgent > 0) reservedOf.set(agentUuid, ofAgent)
    else reservedOf.delete(agentUuid)
  }

  return {
    reserve: (agentUuid, bodyBytes) => {
      const ofAgent = reservedOf.get(agentUuid) ?? 0
      if (reservedBytes + bodyBytes > budgetBytes || ofAgent + bodyBytes > shareBytes) return undefined
      let heldBytes = bodyBytes
      add(agentUuid, heldBytes)
      const settle = (bytes: number): void => {
        const lessBytes = Math.max(0, heldBytes - bytes)
        heldBytes -= lessBytes
        add(agentUuid, -lessBytes)
      }
      return { settle, release: () => settle(0) }
    },
  }
}
