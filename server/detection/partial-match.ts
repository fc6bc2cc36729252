/**
 * Finds where a match may be pending at the end of a text, which a stream needs to know about the text that it holds.
 * From each pattern another one is derived that matches at an index if, and nearly only if, more text could change
 * the pattern's result there: every character may also be the end of the text, and some path must arrive at that end.
 */

import type { PendingFrom } from '../core/step.ts'
import { createKeywordScanner } from './aho-corasick.ts'
import { matchAt, type Pattern } from './pattern.ts'
import { lastRunStart } from './pending-match.ts'
import { type Alternatives, type Element, parseRegex, quantified } from './regex-syntax.ts'

/** `isPlausible` reads fewer characters than this. */
const PLAUSIBILITY_CHARS = 8

/** Derives the pattern that matches where the result of `pattern` is pending. Throws on syntax that patterns don't use. */
export function partialMatchPattern(pattern: RegExp): RegExp {
  return new RegExp(`(?:${partialAlternatives(parseRegex(pattern))})$`, pattern.flags)
}

function partialAlternatives(alternatives: Alternatives): string {
  return alternatives.map(({ elements }) => elements.map(partialElement).join('')).join('|')
}

function partialElement(element: Element): string {
  const { once, quantifier } = quantified(element)
  if (!('alternatives' in once)) return `(?:${once.raw}|$)${quantifier}`
  if (once.type === 'Assertion') {
    // What precedes an index is known, unless the path has arrived at the end already.
    if (once.kind === 'lookbehind') return `(?:${once.raw}|$)`
    // When the lookahead is pending, so is the whole match, and the path goes to the end. Otherwise it is unchanged.
    return `(?:(?=(?:${partialAlternatives(once.alternatives)})$)[^]*|${once.raw})`
  }
  const opener = once.raw.slice(0, (once.alternatives[0]?.start ?? once.start) - once.start)
  return `${opener}${partialAlternatives(once.alternatives)})${quantifier}`
}

/** A pattern and the one that matches where it is pending. */
export type PartialPattern = Readonly<{ pattern: Pattern; partial: RegExp }>

/** Adds the derived pattern to a pattern: the one that was compiled with it, or one that is derived now. */
export function withPartial(pattern: Pattern): PartialPattern {
  const { partial, pattern: expression } = pattern
  return {
    pattern,
    partial: partial === undefined ? partialMatchPattern(expression) : new RegExp(partial, expression.flags),
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

/**
 * The same for the value of the match: its groups, without the keyword; what is in front of the keyword is all value.
 */
function valueAt(text: string, at: number, keywordChars: number, { pattern, partial }: PartialPattern): number {
  if (text.length - at > PLAUSIBILITY_CHARS && pattern.isPlausible?.(text, at) === false) return text.length
  partial.lastIndex = at
  const groups = partial.exec(text)?.indices
  if (groups === undefined) return text.length
  const start = groups.slice(1).find((range) => range !== undefined)?.[0] ?? at
  return start < at ? start : Math.max(start, at + keywordChars)
}

/**
 * Creates the pendingFrom function of a set of patterns; it includes keywords that are incomplete at the end. What it
 * needs is made when the first stream asks.
 */
export function pendingFromPatterns(patterns: readonly Pattern[], matchCharsMax: number): PendingFrom {
  let tools: ReturnType<typeof pendingTools> | undefined
  return (text, only) => {
    tools ??= pendingTools(patterns)
    const { scan, keywords, owners } = tools
    const from = Math.max(0, text.length - matchCharsMax)
    let earliest = text.length
    const partChars = scan(text.slice(from), (keyword, start) => {
      const [at, owner] = [from + start, owners[keyword] as PartialPattern]
      const pending =
        only === 'valued' ? valueAt(text, at, keywords[keyword]?.length ?? 0, owner) : pendingAt(text, at, owner)
      earliest = Math.min(earliest, pending)
    })
    return only ? earliest : Math.min(earliest, lastRunStart(text, text.length - partChars, matchCharsMax))
  }
}

function pendingTools(patterns: readonly Pattern[]) {
  const keywords: string[] = []
  const owners: PartialPattern[] = []
  for (const one of patterns.map(withPartial)) {
    for (const keyword of one.pattern.keywords) {
      keywords.push(keyword)
      owners.push(one)
    }
  }
  return { scan: createKeywordScanner(keywords), keywords, owners }
}
