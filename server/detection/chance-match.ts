/**
 * Matches by chance: in some megabytes of base64 a few characters have the form of an account number or of a key. Inside a long
 * run that is no text they are a part of what it encodes, which is looked at by itself.
 */

import { longRuns } from '../normalization/encoded-text.ts'
import { lastAtOrBefore } from '../normalization/position-map.ts'
import type { Match } from './pattern.ts'

/** So long is what detect_opaque notes when nobody can read it: nothing is passed over that is not told of. */
const RUN_CHARS_MIN = 512

/** So many different characters has base64 of anything. */
const CHARACTERS_MIN = 32

/** Given the matches in a text, returns those that do not begin inside such a run; one that is a line of its own stays. */
export function withoutChance(text: string, matches: readonly Match[]): readonly Match[] {
  if (matches.length === 0 || text.length < RUN_CHARS_MIN) return matches
  const runs = longRuns(text, RUN_CHARS_MIN).filter(
    ({ start, end }) => end - start >= RUN_CHARS_MIN && isScrambled(text.slice(start, start + RUN_CHARS_MIN)),
  )
  if (runs.length === 0) return matches
  const starts = runs.map(({ start }) => start)
  return matches.filter(({ start, end }) => {
    const run = runs[lastAtOrBefore(starts, start)]
    return run === undefined || start <= run.start || end > run.end || isLine(text, start, end)
  })
}

function isScrambled(run: string): boolean {
  return new Set(run.replace(/\s/g, '')).size >= CHARACTERS_MIN
}

/** Whether a range is all of one line, or of several. */
function isLine(text: string, start: number, end: number): boolean {
  return /^$|\n/.test(text.charAt(start - 1)) && /^$|[\r\n]/.test(text.charAt(end))
}
