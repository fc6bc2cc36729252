/** Runs a detector over all texts of a call in all their readings, and turns its matches into findings. */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { MATCHES_MAX, type Match } from './pattern.ts'
import { type TextVariant, variantsOf } from './text-variant.ts'

/** Nothing that any pattern knows is shorter. */
const TEXT_CHARS_MIN = 6

/** Readings are worked out once for all steps. A segment never changes, so neither do they. */
const variantCache = new WeakMap<Segment, readonly TextVariant[]>()

/** Returns the readings of a segment's text; none when it is too short to hold anything. */
export function segmentVariants(segment: Segment): readonly TextVariant[] {
  if (segment.text.length < TEXT_CHARS_MIN) return EMPTY
  const cached = variantCache.get(segment)
  if (cached !== undefined) return cached
  const variants = variantsOf(segment.text)
  variantCache.set(segment, variants)
  return variants
}

/** A call with more findings than this isn't one that anybody could act on; not acted on means refused. */
const FINDINGS_MAX = MATCHES_MAX

/** More was found than can be judged. */
export class InspectionError extends Error {
  override readonly name = 'InspectionError'
}

/** Looks through one text of a segment; `keywords` is what is kept of it. */
type Matcher = (text: string, keywords: KeywordMemo | undefined, segment: Segment) => readonly Match[]

/**
 * Returns a detector's findings in all segments, spans in the text as it stands; of several that cover each other, one.
 * Neighbouring text parts of a message are scanned as one text too: what is cut between them has a finding in each.
 * A match of a kind in `vague` returns way to one of any other kind that covers it. Throws InspectionError beyond 10,000.
 */
export function scanSegments(
  segments: readonly Segment[],
  matcher: Matcher,
  yielding: ReadonlySet<string> = NO_KINDS,
): readonly Finding[] {
  let findings: Finding[] | undefined
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index] as Segment
    const inside = matchesIn(segment, matcher)
    const matches = isTextPart(segment) ? [...inside, ...matchesAcrossParts(segments, index, matcher)] : inside
    if (matches.length === 0) continue
    findings ??= []
    for (const { kind, severity, confidence, start, end } of outermost(matches, yielding)) {
      findings.push({ kind, severity, pointer: segment.pointer, span: [start, end], confidence })
    }
    if (findings.length > FINDINGS_MAX) throw new InspectionError('more was found than can be judged')
  }
  return findings ?? EMPTY
}

const EMPTY: readonly never[] = []
const NO_KINDS: ReadonlySet<string> = new Set()

function matchesIn(segment: Segment, matcher: Matcher): readonly Match[] {
  let matches: Match[] | undefined
  for (const variant of segmentVariants(segment)) {
    const seen = matcher(variant.text, variant.keywords, segment)
    if (seen.length > MATCHES_MAX) throw new InspectionError('more was found than can be judged')
    for (const match of seen) {
      const [start, end] = variant.span(match.start, match.end)
      matches ??= []
      matches.push({ ...match, start, end })
    }
  }
  return matches ?? EMPTY
}

/** Leaves out what another match of the same kind covers, and vague ones that any other covers. */
function outermost(matches: readonly Match[], yielding: ReadonlySet<string>): readonly Match[] {
  if (matches.length < 2) return matches
  const isYielding = (match: Match): number => (yielding.has(match.kind) ? 1 : 0)
  const sorted = [...matches].sort(
    (a, b) => a.start - b.start || b.end - a.end || isYielding(a) - isYielding(b) || b.confidence - a.confidence,
  )
  const furthest = new Map<string, number>()
  let furthestOther = -1
  return sorted.filter((match) => {
    if ((furthest.get(match.kind) ?? -1) >= match.end || (isYielding(match) === 1 && furthestOther >= match.end))
      return false
    furthest.set(match.kind, match.end)
    if (isYielding(match) === 0) furthestOther = Math.max(furthestOther, match.end)
    return true
  })
}

/** The text part of a message: its pointer in front of its number, and the number. */
const PART = /^(.*\/)(\d+)\/text$/

const isTextPart = ({ pointer }: Segment): boolean => pointer.endsWith('/text') && PART.test(pointer)

/** How much of two neighbours is scanned together. */
const JOINED_CHARS = 1_024

/** The shares that a segment has in matches that reach over its front or its end into its neighbour. */
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
