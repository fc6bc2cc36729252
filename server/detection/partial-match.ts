/**
 * Finds where a match may be pending at the end of a text, which a stream needs to know about the text that it holds.
 * From each pattern another one is derived that matches at an index if, and nearly only if, more text could change
 * the pattern's result there: every character may also be the end of the text, and some path must arrive at that end.
 */

import type { PendingFrom } from '../core/step.ts'
import { createKeywordScanner } from './aho-corasick.ts'
import { matchAt, type Pattern } from './pattern.ts'
import { lastRunStart } from './pending-match.ts'
import { type Alternatives, parseRegex, type Term } from './regex-parser.ts'

/** `isPlausible` reads fewer characters than this. */
const PLAUSIBILITY_CHARS = 8

/** Derives the pattern that matches where the result of `pattern` is pending. Throws on syntax that it does not know. */
export function partialMatchPattern({ source, flags }: RegExp): RegExp {
  return new RegExp(`(?:${partialAlternatives(parseRegex(source))})$`, flags)
}

function partialAlternatives(alternatives: Alternatives): string {
  return alternatives.map((terms) => terms.map(partialTerm).join('')).join('|')
}

function partialTerm(term: Term): string {
  switch (term.kind) {
    case 'character':
    case 'boundary':
      return `(?:${term.source}|$)${term.quantifier}`
    case 'group':
      return `${term.opener}${partialAlternatives(term.alternatives)})${term.quantifier}`
    case 'lookbehind':
      // What precedes an index is known, unless the path has arrived at the end already.
      return `(?:${term.source}|$)`
    case 'lookahead':
      // When the lookahead is pending, so is the whole match, and the path goes to the end. Otherwise it is
      // unchanged.
      return `(?:(?=(?:${partialAlternatives(term.alternatives)})$)[^]*|${term.source})`
  }
}

/** A pattern and the one that matches where it is pending. */
export type PartialPattern = Readonly<{ pattern: Pattern; partial: RegExp }>

/** Adds the derived pattern to a pattern. */
export function withPartial(pattern: Pattern): PartialPattern {
  return {
    pattern,
    partial: partialMatchPattern(pattern.pattern),
  }
}

/**
 * Given an index at which a pattern is tried, returns where its match starts if it is pending; else the text's
 * length.
 */
export function pendingAt(text: string, at: number, { pattern, partial }: PartialPattern): number {
  if (text.length - at > PLAUSIBILITY_CHARS && pattern.isPlausible?.(text, at) === false) return text.length
  partial.lastIndex = at
  const found = partial.exec(text)
  if (found !== null) return (found.indices ?? []).reduce((earliest, range) => Math.min(earliest, range?.[0] ?? at), at)
  // How far `extend` continues is not known here: a match within `matchCharsMax` may.
  const match = pattern.extend === undefined ? undefined : matchAt(text, at, pattern)
  return match?.start ?? text.length
}

/** Creates the pendingFrom function of a set of patterns; it includes keywords that are incomplete at the end. */
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
