/**
 * Room for the bodies of calls that are in hand: a call holds its body, and what is made of it, until its answer has left,
 * which may be minutes. Without a bound a few dozen large ones would end the process, and with it all other calls.
 */

/**
 * Bytes of all bodies in hand together. What is made of a body takes up to six times its room
 * (docs/reference/performance.md), an instance at rest 300 MB, and the unit ends one that takes a gigabyte.
 */
export const ROOM_BYTES = 96 * 1024 * 1024

/** Takes a body in: gives what is to be called once when its call is over, or undefined when there is no room. */
export type BodyRoom = Readonly<{ enter: (bodyBytes: number) => (() => void) | undefined }>

/** Makes the room. */
export function makeBodyRoom(roomBytes: number = ROOM_BYTES): BodyRoom {
  let takenBytes = 0
  return {
    enter: (bodyBytes) => {
      if (takenBytes + bodyBytes > roomBytes) return undefined
      takenBytes += bodyBytes
      return () => {
        takenBytes -= bodyBytes
      }
    },
  }
}
