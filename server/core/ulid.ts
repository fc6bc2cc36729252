/** ULIDs: ids that sort by time, from a given clock and given randomness. */
import type { Clock, Random } from './ports.ts'

const ALPHABET = Buffer.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')

const TIME_CHARS = 10
const RANDOM_CHARS = 16

/** The id that was made last: many are made in the same millisecond, and one string out of a buffer is the cheapest. */
const characters = Buffer.alloc(TIME_CHARS + RANDOM_CHARS)
let timeMs = -1

/**
 * Given a clock and a source of randomness, returns 26 characters of Crockford's base 32: 48 bits of milliseconds, then
 * 80 random bits (github.com/ulid/spec).
 */
export function ulid(clock: Clock, random: Random): string {
  writeTime(clock.nowMs())
  const bytes = random.bytes(RANDOM_CHARS)
  for (let place = 0; place < RANDOM_CHARS; place++)
    characters[TIME_CHARS + place] = ALPHABET[(bytes[place] as number) & 31] as number
  return characters.toString('latin1')
}

function writeTime(nowMs: number): void {
  if (nowMs === timeMs) return
  for (let rest = nowMs, place = TIME_CHARS - 1; place >= 0; place--, rest = Math.floor(rest / 32))
    characters[place] = ALPHABET[rest % 32] as number
  timeMs = nowMs
}
