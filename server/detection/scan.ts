/** Runs a detector over all segments of a call in all their variants, and turns its matches into findings. */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { InspectionError } from '../core/inspection.ts'
import { withoutCovered } from './covered-match.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { createNamedValues, isReadAlone, type NamedValue } from './named-value.ts'
import { MATCHES_MAX, type Match } from './pattern.ts'
import { type TextVariant, variantsOf } from './text-variant.ts'

/** No pattern matches a shorter text. */
const TEXT_CHARS_MIN = 6

/** A call with more findings than this can't be acted on, and is refused. */
export const FINDINGS_MAX = MATCHES_MAX

/** Matches in all variants of a segment, of which the outermost count: a match is seen again in each variant that has it. */
const CANDIDATES_MAX = 4 * MATCHES_MAX

/** Matches one text of a segment; `keywords` is its memo. */
export type Matcher = (text: string, keywords: KeywordMemo | undefined, segment: Segment) => readonly Match[]

/** Returns the variants of a segment's text; none when it is too short to match anything. */
type VariantsOf = (segment: Segment) => readonly TextVariant[]

/** Variants are computed once for all detectors. A segment never changes, so neither do they. */
function createVariantCache(): VariantsOf {
  const cache = new WeakMap<Segment, readonly TextVariant[]>()
  return (segment) => {
    if (segment.text.length < TEXT_CHARS_MIN) return EMPTY
    const cached = cache.get(segment)
    if (cached !== undefined) return cached
    const variants = variantsOf(segment.text)
    cache.set(segment, variants)
    return variants
  }
}

/** Scans the segments of a call with a detector. */
export type Scanner = (
  segments: readonly Segment[],
  matcher: Matcher,
  yielding?: ReadonlySet<string>,
) => readonly Finding[]

/**
 * Creates a scanner. It returns a detector's findings in all segments, with spans in the original text; of several that
 * cover each other, the surest (withoutCovered). Adjacent text parts of a message are also scanned as one text: a match
 * across them is a finding in each. A value is also scanned behind its name. A match of a kind in `yielding` gives way to
 * one of any other kind that is as sure. Throws
 * InspectionError beyond 10,000.
 */
export function createScanner(): Scanner {
  const variants = createVariantCache()
  const namedValueOf = createNamedValues()
  return (segments, matcher, yielding = NO_KINDS) => {
    let findings: Finding[] | undefined
    for (let index = 0; index < segments.length; index++) {
      const segment = segments[index] as Segment
      const inside = isReadAlone(segment) ? matchesIn(segment, variants(segment), matcher) : EMPTY
      const behindName =
        segment.name === undefined ? EMPTY : matchesBehindName(namedValueOf(segment), variants, matcher)
      const across = isTextPart(segment) ? matchesAcrossParts(segments, index, matcher) : EMPTY
      const matches = behindName.length + across.length === 0 ? inside : [...inside, ...behindName, ...across]
      if (matches.length === 0) continue
      findings ??= []
      for (const { kind, severity, confidence, start, end } of withoutCovered(matches, yielding)) {
        findings.push({ kind, severity, pointer: segment.pointer, span: [start, end], confidence })
      }
      if (findings.length > FINDINGS_MAX) throw new InspectionError('there are more findings than can be evaluated')
    }
    return findings ?? EMPTY
  }
}

const EMPTY: readonly never[] = []
const NO_KINDS: ReadonlySet<string> = new Set()

function matchesIn(segment: Segment, variants: readonly TextVariant[], matcher: Matcher): readonly Match[] {
  let matches: Match[] | undefined
  for (const variant of variants) {
    const seen = matcher(variant.text, variant.keywords, segment)
    if (seen.length > MATCHES_MAX || (matches?.length ?? 0) > CANDIDATES_MAX)
      throw new InspectionError('there are more findings than can be evaluated')
    for (const match of seen) {
      const [start, end] = variant.span(match.start, match.end)
      matches ??= []
      matches.push({ ...match, start, end })
    }
  }
  return matches ?? EMPTY
}

/** What is in a value only because of the name in front of it. */
function matchesBehindName(named: NamedValue, variants: VariantsOf, matcher: Matcher): readonly Match[] {
  const { joined, alone, start: from } = named
  const inside = matchesIn(joined, variants(joined), matcher)
    .map((match) => ({
      ...match,
      start: Math.max(0, match.start - from),
      end: Math.min(alone.text.length, match.end - from),
    }))
    .filter(({ start, end }) => end > start)
  if (inside.length === 0) return EMPTY
  const without = new Set(matchesIn(alone, variants(alone), matcher).map(placeOf))
  return inside.filter((match) => !without.has(placeOf(match)))
}

function placeOf({ kind, start, end }: Match): string {
  return `${kind} ${start} ${end}`
}

/** The text part of a message: the pointer of its parent, and its index. */
const PART = /^(.*\/)(\d+)\/text$/

function isTextPart({ pointer }: Segment): boolean {
  return pointer.endsWith('/text') && PART.test(pointer)
}

/** How much of two adjacent parts is scanned together. */
const JOINED_CHARS = 1_024

/** The parts within a segment of matches that cross its start or its end into an adjacent part. */
function matchesAcrossParts(segments: readonly Segment[], index: number, matcher: Matcher): readonly Match[] {
  const segment = segments[index] as Segment
  const overlapping = (left: Segment | undefined, right: Segment | undefined): readonly Match[] => {
    if (left === undefined || right === undefined || !areAdjacent(left, right)) return []
    const tail = left.text.slice(-JOINED_CHARS)
    const text = tail + right.text.slice(0, JOINED_CHARS)
    const from = segment === left ? left.text.length - tail.length : -tail.length
    return matcher(text, undefined, segment)
      .filter(({ start, end }) => start < tail.length && end > tail.length)
      .map((match) => {
        const start = Math.max(0, match.start + from)
        return { ...match, start, end: Math.min(segment.text.length, match.end + from) }
      })
  }
  const previous = segments.slice(Math.max(0, index - 4), index).findLast(isTextPart)
  const next = segments.slice(index + 1, index + 5).find(isTextPart)
  return [...overlapping(previous, segment), ...overlapping(segment, next)]
}

function areAdjacent(left: Segment, right: Segment): boolean {
  const [, leftParent, leftNumber] = PART.exec(left.pointer) ?? []
  const [, rightParent, rightNumber] = PART.exec(right.pointer) ?? []
  return leftParent !== undefined && leftParent === rightParent && Number(leftNumber) + 1 === Number(rightNumber)
}
