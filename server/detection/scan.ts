/** Runs a detector over all texts of a call in all their readings, and turns its matches into findings. */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { MATCHES_MAX, type Match } from './pattern.ts'
import { type Reading, readings } from './text-variant.ts'

/** Nothing that any pattern knows is shorter. */
const TEXT_CHARS_MIN = 6

/** Readings are worked out once for all steps. A segment never changes, so neither do they. */
const readingsOf = new WeakMap<Segment, readonly Reading[]>()

/** Gives the readings of a segment's text; none when it is too short to hold anything. */
export function segmentReadings(segment: Segment): readonly Reading[] {
  if (segment.text.length < TEXT_CHARS_MIN) return NONE
  const known = readingsOf.get(segment)
  if (known !== undefined) return known
  const made = readings(segment.text)
  readingsOf.set(segment, made)
  return made
}

/** A call with more findings than this isn't one that anybody could act on; not acted on means refused. */
const FINDINGS_MAX = MATCHES_MAX

/** More was found than can be judged. */
export class InspectionError extends Error {
  override readonly name = 'InspectionError'
}

/** Looks through one text of a segment; `keywords` is what is kept of it. */
type Look = (text: string, keywords: KeywordMemo | undefined, segment: Segment) => readonly Match[]

/**
 * Gives a detector's findings in all segments, spans in the text as it stands; of several that cover each other, one.
 * Neighbouring text parts of a message are looked through as one text too: what is cut between them has a finding in each.
 * A match of a kind in `vague` gives way to one of any other kind that covers it. Throws InspectionError beyond 10,000.
 */
export function inspectAll(
  segments: readonly Segment[],
  look: Look,
  vague: ReadonlySet<string> = NONE_VAGUE,
): readonly Finding[] {
  let findings: Finding[] | undefined
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index] as Segment
    const inside = matchesIn(segment, look)
    const matches = isPart(segment) ? [...inside, ...matchesAtEdges(segments, index, look)] : inside
    if (matches.length === 0) continue
    findings ??= []
    for (const { kind, severity, confidence, start, end } of outermost(matches, vague)) {
      findings.push({ kind, severity, pointer: segment.pointer, span: [start, end], confidence })
    }
    if (findings.length > FINDINGS_MAX) throw new InspectionError('more was found than can be judged')
  }
  return findings ?? NONE
}

const NONE: readonly never[] = []
const NONE_VAGUE: ReadonlySet<string> = new Set()

function matchesIn(segment: Segment, look: Look): readonly Match[] {
  let matches: Match[] | undefined
  for (const reading of segmentReadings(segment)) {
    const seen = look(reading.text, reading.keywords, segment)
    if (seen.length > MATCHES_MAX) throw new InspectionError('more was found than can be judged')
    for (const match of seen) {
      const [start, end] = reading.span(match.start, match.end)
      matches ??= []
      matches.push({ ...match, start, end })
    }
  }
  return matches ?? NONE
}

/** Leaves out what another match of the same kind covers, and vague ones that any other covers. */
function outermost(matches: readonly Match[], vague: ReadonlySet<string>): readonly Match[] {
  if (matches.length < 2) return matches
  const isVague = (match: Match): number => (vague.has(match.kind) ? 1 : 0)
  const sorted = [...matches].sort(
    (a, b) => a.start - b.start || b.end - a.end || isVague(a) - isVague(b) || b.confidence - a.confidence,
  )
  const furthest = new Map<string, number>()
  let furthestPlain = -1
  return sorted.filter((match) => {
    if ((furthest.get(match.kind) ?? -1) >= match.end || (isVague(match) === 1 && furthestPlain >= match.end))
      return false
    furthest.set(match.kind, match.end)
    if (isVague(match) === 0) furthestPlain = Math.max(furthestPlain, match.end)
    return true
  })
}

/** The text part of a message: its pointer in front of its number, and the number. */
const PART = /^(.*\/)(\d+)\/text$/

const isPart = ({ pointer }: Segment): boolean => pointer.endsWith('/text') && PART.test(pointer)

/** How much of two neighbours is looked through together. */
const EDGE_CHARS = 1_024

/** The shares that a segment has in matches that reach over its front or its end into its neighbour. */
function matchesAtEdges(segments: readonly Segment[], index: number, look: Look): readonly Match[] {
  const segment = segments[index] as Segment
  const shares = (left: Segment | undefined, right: Segment | undefined): readonly Match[] => {
    if (left === undefined || right === undefined || !areNeighbours(left, right)) return []
    const tail = left.text.slice(-EDGE_CHARS)
    const text = tail + right.text.slice(0, EDGE_CHARS)
    const from = segment === left ? left.text.length - tail.length : -tail.length
    return look(text, undefined, segment)
      .filter(({ start, end }) => start < tail.length && end > tail.length)
      .map((match) => {
        const start = Math.max(0, match.start + from)
        return { ...match, start, end: Math.min(segment.text.length, match.end + from) }
      })
  }
  const before = segments.slice(Math.max(0, index - 4), index).findLast(isPart)
  const after = segments.slice(index + 1, index + 5).find(isPart)
  return [...shares(before, segment), ...shares(segment, after)]
}

function areNeighbours(left: Segment, right: Segment): boolean {
  const [, leftPlace, leftNumber] = PART.exec(left.pointer) ?? []
  const [, rightPlace, rightNumber] = PART.exec(right.pointer) ?? []
  return leftPlace !== undefined && leftPlace === rightPlace && Number(leftNumber) + 1 === Number(rightNumber)
}
