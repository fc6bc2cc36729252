/** ULIDs: ids that sort by time, from a given clock and given randomness. */
import type { Clock, Random } from './ports.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Every two characters of the alphabet: half as many pieces to put together. */
const PAIRS = [...ALPHABET].flatMap((first) => [...ALPHABET].map((second) => first + second))

/** Many ids are made in the same millisecond. */
let timeMs = -1
let timeText = ''

/**
 * Given a clock and a source of randomness, returns 26 characters of Crockford's base 32: 48 bits of milliseconds, then
 * 80 random bits (github.com/ulid/spec).
 */
export function ulid(clock: Clock, random: Random): string {
  const bytes = random.bytes(16)
  let text = textOfTime(clock.nowMs())
  for (let place = 0; place < 16; place += 2) {
    text += PAIRS[(((bytes[place] as number) & 31) << 5) | ((bytes[place + 1] as number) & 31)]
  }
  return text
}

function textOfTime(nowMs: number): string {
  if (nowMs === timeMs) return timeText
  let text = ''
  for (let rest = nowMs, place = 0; place < 10; place++, rest = Math.floor(rest / 32)) text = ALPHABET[rest % 32] + text
  timeMs = nowMs
  timeText = text
  return text
}
