/**
 * Patterns as values, and how they are matched: a keyword first, then one bounded regular expression at that index.
 * So time is linear in the text, and a match depends on its surroundings only, which allows a stream to be evaluated
 * in batches.
 */
import type { Severity } from '../core/finding.ts'
import type { KeywordIndex, KeywordMemo } from './keyword-index.ts'

/** A match in a text, as a half-open range of its UTF-16 code units; of a phrase, with the rule that it was compiled from. */
export type Match = Readonly<{
  kind: string
  severity: Severity
  confidence: number
  start: number
  end: number
  rule?: string
}>

/**
 * `pattern` (flags d and y, no unbounded quantifier) is tried wherever one of `keywords` (ASCII, either case) starts.
 * The match spans from the first to the last of the groups that took part (one may be in a lookbehind, before the
 * keyword); without groups it is the whole match.
 */
export type Pattern = Readonly<{
  /** The rule that it was compiled from. */
  rule?: string
  kind: string
  severity: Severity
  confidence: number
  keywords: readonly string[]
  pattern: RegExp
  /** The source of the expression that matches where this one is pending; without it, it is derived when needed. */
  partial?: string
  /** A cheap test at the index before the pattern; false means that the pattern can't match there. */
  isPlausible?: (text: string, at: number) => boolean
  /** Given what matched, returns its confidence; undefined when it is no match after all. */
  score?: (value: string, match: string) => number | undefined
  /**
   * Returns the end of a match of unbounded length, from the end of the pattern's match. It reads each character a
   * bounded number of times, and none before `end`; from the end that it returned it goes no further.
   */
  extend?: (text: string, end: number) => number
}>

/** Finds all patterns of a set. `memo` is the text's memo of keywords. */
export type Detector = (text: string, memo?: KeywordMemo) => readonly Match[]

const NO_MATCHES: readonly Match[] = []

/** A text with more matches than this can't be acted on. A detector stops when it has more. */
export const MATCHES_MAX = 10_000

/**
 * Creates a detector for a set of patterns, whose keywords it adds to an index. Matches of one pattern may overlap. Where
 * one is inside an earlier one that was extended to the same end, the earlier one stands for both: so no character is
 * extended over twice, however many keywords are in a run.
 */
export function createPatternDetector(patterns: readonly Pattern[], index: KeywordIndex): Detector {
  const keywords: string[] = []
  const patternOf: Pattern[] = []
  for (const pattern of patterns) {
    for (const keyword of pattern.keywords) {
      keywords.push(keyword)
      patternOf.push(pattern)
    }
  }
  const { scan, isAbsent } = index.add(keywords)
  return (text, memo) => {
    if (isAbsent(text, memo)) return NO_MATCHES
    let matches: Match[] | undefined
    let lastExtended: Map<Pattern, Match> | undefined
    const visit = (keyword: number, start: number): void => {
      if (matches !== undefined && matches.length > MATCHES_MAX) return
      const pattern = patternOf[keyword] as Pattern
      const last = pattern.extend === undefined ? undefined : lastExtended?.get(pattern)
      const match = matchAt(text, start, pattern, last)
      if (match === undefined || (last !== undefined && standsFor(last, match))) return
      matches ??= []
      matches.push(match)
      if (pattern.extend === undefined) return
      lastExtended ??= new Map()
      lastExtended.set(pattern, match)
    }
    scan(text, visit, memo)
    return matches ?? NO_MATCHES
  }
}

function standsFor(earlier: Match, later: Match): boolean {
  return earlier.start <= later.start && later.end <= earlier.end && earlier.confidence === later.confidence
}

/** Tries one pattern at one index. A match that ends inside `earlier`, of the same pattern, is extended from its end on. */
export function matchAt(text: string, at: number, pattern: Pattern, earlier?: Match): Match | undefined {
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
  if (extend === undefined) return { kind: pattern.kind, severity: pattern.severity, confidence, start, end: bounded }
  const isInside = earlier !== undefined && bounded > earlier.start && bounded <= earlier.end
  const end = extend(text, isInside ? earlier.end : bounded)
  return { kind: pattern.kind, severity: pattern.severity, confidence, start, end }
}

/** A group that is repeated: an expression keeps a place to go back to for each repetition, which a loop does not. */
const REPEATED_GROUP = /^(\(\?:.*\))\+$/s

/** Creates an `extend` that continues over what `source` matches: characters of one class, or a group, repeated. */
export function extendWhile(source: string): NonNullable<Pattern['extend']> {
  const group = REPEATED_GROUP.exec(source)?.[1]
  const expression = new RegExp(group ?? source, 'y')
  return (text, start) => {
    let end = start
    do {
      expression.lastIndex = end
      if (!expression.test(text)) break
      end = expression.lastIndex
    } while (group !== undefined)
    return end
  }
}
