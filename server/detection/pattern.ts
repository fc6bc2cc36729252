/**
 * Patterns as values, and how they are looked for: a keyword first, then one bounded regular expression at that place.
 * So work is linear in the text, and whether something matches at a place depends on that place's surroundings only,
 * which is what lets a stream be judged piece by piece.
 */
import type { Severity } from '../core/finding.ts'
import { indexKeywords, type KeywordMemo } from './keyword-index.ts'

/** Something found in a text, as a half-open range of its UTF-16 code units. */
export type Match = Readonly<{ kind: string; severity: Severity; confidence: number; start: number; end: number }>

/**
 * One thing to look for. `pattern` (flags d and y, no unbounded quantifier) is tried wherever one of `keywords` (ASCII,
 * either case) starts. The match reaches from the first to the last of the pattern's groups that took part (one may
 * stand in a lookbehind, before the keyword); without groups it is all of it.
 */
export type Pattern = Readonly<{
  kind: string
  severity: Severity
  confidence: number
  keywords: readonly string[]
  pattern: RegExp
  /** A glance at the place, cheaper than the pattern; false means that the pattern can't match there. */
  isPlausible?: (text: string, at: number) => boolean
  /** Looks at what matched closer and returns its confidence; undefined when it is nothing. */
  score?: (value: string, whole: string) => number | undefined
  /** Where a match without a longest form ends, from the end of what the pattern matched. Each step further is bounded. */
  extend?: (text: string, end: number) => number
}>

/** Looks for all patterns of a set. `memo` is what is kept beside the text. */
export type Detector = (text: string, memo?: KeywordMemo) => readonly Match[]

const NO_MATCHES: readonly Match[] = []

/** A text with more matches than this isn't one that anybody could act on. A detector stops when it has more. */
export const MATCHES_MAX = 10_000

/** Creates a detector for a set of patterns. Matches of one pattern may overlap; nothing depends on earlier matches. */
export function createPatternDetector(patterns: readonly Pattern[]): Detector {
  const keywords: string[] = []
  const patternOf: Pattern[] = []
  for (const pattern of patterns) {
    for (const keyword of pattern.keywords) {
      keywords.push(keyword)
      patternOf.push(pattern)
    }
  }
  const { scan, isAbsent } = indexKeywords(keywords)
  return (text, memo) => {
    if (isAbsent(text, memo)) return NO_MATCHES
    let matches: Match[] | undefined
    const visit = (keyword: number, start: number): void => {
      if (matches !== undefined && matches.length > MATCHES_MAX) return
      const match = matchAt(text, start, patternOf[keyword] as Pattern)
      if (match === undefined) return
      matches ??= []
      matches.push(match)
    }
    scan(text, visit, memo)
    return matches ?? NO_MATCHES
  }
}

/** Tries one pattern at one place. */
export function matchAt(text: string, at: number, pattern: Pattern): Match | undefined {
  if (pattern.isPlausible?.(text, at) === false) return undefined
  pattern.pattern.lastIndex = at
  const found = pattern.pattern.exec(text)
  if (found === null) return undefined
  const groups = found.indices?.slice(1).filter((range) => range !== undefined) ?? []
  const start = groups[0]?.[0] ?? at
  const bounded = groups.at(-1)?.[1] ?? pattern.pattern.lastIndex
  const { score, extend } = pattern
  const confidence = score === undefined ? pattern.confidence : score(text.slice(start, bounded), found[0])
  if (confidence === undefined) return undefined
  const end = extend === undefined ? bounded : extend(text, bounded)
  return { kind: pattern.kind, severity: pattern.severity, confidence, start, end }
}

/** Creates an `extend` that goes on over the characters that `sort` (a sticky regular expression of one class) takes. */
export function extendWhile(characters: RegExp): NonNullable<Pattern['extend']> {
  return (text, end) => {
    characters.lastIndex = end
    return characters.test(text) ? characters.lastIndex : end
  }
}
