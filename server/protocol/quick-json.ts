/**
 * JSON of a model server that is parsed in the thread which answers all calls: events of a stream, lists of models. Only
 * what takes that thread a few hundredths of a second is parsed, however long its texts are.
 */
import { hasInexactNumber, parseExact } from './exact-number.ts'
import { exceededLimit } from './json-bound.ts'

/** A list of the tokens of a whole prompt is within it. */
const LIMITS = {
  depthMax: 100,
  containersMax: 10_000,
  membersMax: 8_000,
  stringsMax: 20_000,
  valuesMax: 200_000,
} as const

/** Numbers that stay as they are written take twenty times as long, and a long one is read digit by digit. */
const EXACT_LIMITS = { ...LIMITS, valuesMax: 8_000, literalMax: 400 } as const

/** A shorter text is within all limits but that of depth. */
const SHORT_CHARS = 16 * 1024

/** Parses a text, with numbers as they are written. Throws when it is no JSON, or would take too long. */
export function parseQuickly(text: string): unknown {
  const limits = text.length > SHORT_CHARS && hasInexactNumber(text) ? EXACT_LIMITS : LIMITS
  const limit = exceededLimit(text, limits)
  if (limit !== undefined) throw new SyntaxError(`more than ${limit}`)
  return parseExact(text)
}
