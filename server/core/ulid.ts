/** ULIDs: ids that sort by time, from a given clock and given randomness. */
import type { Clock, Random } from './ports.ts'

const ALPHABET = Buffer.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')

/**
 * Takes a clock and a source of randomness, gives 26 characters of Crockford's base 32: 48 bits of milliseconds, then
 * 80 random bits (github.com/ulid/spec).
 */
export function ulid(clock: Clock, random: Random): string {
  const text = Buffer.allocUnsafe(26)
  for (let rest = clock.nowMs(), place = 9; place >= 0; place--, rest = Math.floor(rest / 32)) {
    text[place] = ALPHABET[rest % 32] as number
  }
  const chance = random.bytes(16)
  for (let place = 0; place < 16; place++) text[10 + place] = ALPHABET[(chance[place] as number) & 31] as number
  return text.toString('latin1')
}
