/** ULIDs: ids that sort by time, from a given clock and given randomness. */
import type { Clock, Random } from './ports.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Every pair of characters of the alphabet: half as many lookups. */
const PAIRS = [...ALPHABET].flatMap((first) => [...ALPHABET].map((second) => first + second))

/** Many ids are created in the same millisecond. */
let timeMs = -1
let timeText = ''

/**
 * Given a clock and a source of randomness, returns 26 characters of Crockford's base 32: 48 bits of milliseconds, then
 * 80 random bits (github.com/ulid/spec).
 */
export function ulid(clock: Clock, random: Random): string {
  const randomBytes = random.bytes(16)
  let text = encodeTime(clock.nowMs())
  for (let index = 0; index < 16; index += 2) {
    text += PAIRS[(((randomBytes[index] as number) & 31) << 5) | ((randomBytes[index + 1] as number) & 31)]
  }
  return text
}

function encodeTime(nowMs: number): string {
  if (nowMs === timeMs) return timeText
  let text = ''
  for (let rest = nowMs, index = 0; index < 10; index++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text
  timeMs = nowMs
  timeText = text
  return text
}
