/** Counts what JSON text holds before it is parsed: a value takes many times the memory of its text. */
import { stringEnd } from './json-source.ts'

/**
 * What a body may hold: how deep it is, how many objects and lists, members of all objects, and values in lists. Values
 * that are long, as the numbers of embeddings, may be more.
 */
export const STRUCTURE_LIMITS = {
  depthMax: 100,
  containersMax: 150_000,
  membersMax: 150_000,
  valuesMax: 1_000_000,
} as const

/** Characters of a value that takes no more memory than a few times its text. */
const LONG_VALUE_CHARS = 8

const [QUOTE, COMMA, COLON, OPEN_BRACKET, CLOSE_BRACKET, OPEN_BRACE, CLOSE_BRACE] = [
  34, 44, 58, 91, 93, 123, 125,
] as const

/** Limits of JSON text; `stringsMax` counts names, too, and `literalMax` is the longest number. */
export type JsonLimits = Readonly<
  Record<keyof typeof STRUCTURE_LIMITS, number> & { stringsMax?: number; literalMax?: number }
>

function bodyLimits(text: string): JsonLimits {
  return { ...STRUCTURE_LIMITS, valuesMax: Math.max(STRUCTURE_LIMITS.valuesMax, text.length / LONG_VALUE_CHARS) }
}

/**
 * Returns the limit that a text exceeds, of those of a body unless others are given; undefined when it is within all. Text
 * that is no JSON is counted all the same.
 */
export function exceededLimit(text: string): keyof typeof STRUCTURE_LIMITS | undefined
export function exceededLimit(text: string, limits: JsonLimits): keyof JsonLimits | undefined
export function exceededLimit(text: string, limits = bodyLimits(text)): keyof JsonLimits | undefined {
  const { depthMax, containersMax, membersMax, valuesMax, stringsMax = Infinity, literalMax = Infinity } = limits
  let [depth, containers, members, values, strings] = [0, 0, 0, 0, 0]
  // Where a number may have begun.
  let last = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = stringEnd(text, at) - 1
      if (++strings > stringsMax) return 'stringsMax'
    } else if (code === COMMA) {
      if (++values > valuesMax) return 'valuesMax'
    } else if (code === COLON) {
      if (++members > membersMax) return 'membersMax'
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > depthMax) return 'depthMax'
      if (++containers > containersMax) return 'containersMax'
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1
    else {
      if (at - last > literalMax) return 'literalMax'
      continue
    }
    last = at
  }
  return undefined
}
