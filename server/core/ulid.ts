/** ULIDs: ids that sort by time, from a given clock and given randomness. */
import type { Clock, Random } from './ports.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/**
 * Takes a clock and a source of randomness, gives 26 characters of Crockford's base 32: 48 bits of milliseconds, then
 * 80 random bits (github.com/ulid/spec).
 */
export function ulid(clock: Clock, random: Random): string {
  let time = ''
  for (let rest = clock.nowMs(), place = 0; place < 10; place++, rest = Math.floor(rest / 32)) {
    time = ALPHABET[rest % 32] + time
  }
  let chance = ''
  for (const byte of random.bytes(16)) chance += ALPHABET[byte & 31]
  return time + chance
}
