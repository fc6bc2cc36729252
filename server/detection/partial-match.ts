/**
 * Says where a match may still be running at the end of a text: the question that a stream asks about what it holds.
 *
 * From each pattern another one is made that matches at a place if, and nearly only if, more text could change what the
 * pattern does there: every character may also be the end of the text, and some way through must arrive at that end.
 */

import type { PendingFrom } from '../core/step.ts'
import { createKeywordScanner } from './aho-corasick.ts'
import { matchAt, type Pattern } from './pattern.ts'
import { lastRunStart } from './pending-match.ts'
import { type Alternatives, parseRegex, type Term } from './regex-parser.ts'

/** A glance (`isPlausible`) looks at fewer characters than this. */
const PLAUSIBILITY_CHARS = 8

/** Creates the pattern that matches where `pattern` is undecided. Throws on syntax that it does not know. */
export function partialMatchPattern({ source, flags }: RegExp): RegExp {
  return new RegExp(`(?:${partialAlternatives(parseRegex(source))})$`, flags)
}

const partialAlternatives = (alternatives: Alternatives): string =>
  alternatives.map((terms) => terms.map(partialTerm).join('')).join('|')

function partialTerm(term: Term): string {
  switch (term.kind) {
    case 'character':
    case 'boundary':
      return `(?:${term.source}|$)${term.quantifier}`
    case 'group':
      return `${term.opener}${partialAlternatives(term.alternatives)})${term.quantifier}`
    case 'lookbehind':
      // What stands before a place is known, unless the way has come to the end already.
      return `(?:${term.source}|$)`
    case 'lookahead':
      // Undecided itself: then so is the whole, and the way goes to the end. Else it is what it is.
      return `(?:(?=(?:${partialAlternatives(term.alternatives)})$)[^]*|${term.source})`
  }
}

/** A pattern and the one that matches where it is undecided. */
export type PartialPattern = Readonly<{ pattern: Pattern; partial: RegExp }>

/** Creates a pattern openable. */
export const withPartial = (pattern: Pattern): PartialPattern => ({
  pattern,
  partial: partialMatchPattern(pattern.pattern),
})

/** Returns where a match of a pattern that is tried at a place begins if it is undecided; the text's length if it isn't. */
export function pendingAt(text: string, at: number, { pattern, partial }: PartialPattern): number {
  if (text.length - at > PLAUSIBILITY_CHARS && pattern.isPlausible?.(text, at) === false) return text.length
  partial.lastIndex = at
  const found = partial.exec(text)
  if (found !== null) return (found.indices ?? []).reduce((earliest, range) => Math.min(earliest, range?.[0] ?? at), at)
  // How a match goes on past its pattern is not known here: as long as it is within reach, it may.
  const match = pattern.extend === undefined ? undefined : matchAt(text, at, pattern)
  return match?.start ?? text.length
}

/** Creates the opening of a set of patterns, keywords of which only a part has come among it. */
export function pendingFromPatterns(patterns: readonly Pattern[], matchCharsMax: number): PendingFrom {
  const keywords: string[] = []
  const owners: PartialPattern[] = []
  for (const one of patterns.map(withPartial)) {
    for (const keyword of one.pattern.keywords) {
      keywords.push(keyword)
      owners.push(one)
    }
  }
  const scan = createKeywordScanner(keywords)
  return (text) => {
    const from = Math.max(0, text.length - matchCharsMax)
    let earliest = text.length
    const partChars = scan(text.slice(from), (keyword, start) => {
      earliest = Math.min(earliest, pendingAt(text, from + start, owners[keyword] as PartialPattern))
    })
    return Math.min(earliest, lastRunStart(text, text.length - partChars, matchCharsMax))
  }
}
