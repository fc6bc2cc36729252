/** Runs a detector over all texts of a call in all their readings, and turns its matches into findings. */
import type { Segment } from './call.ts'
import type { Finding } from './finding.ts'
import type { Match } from './pattern.ts'
import { type Reading, readings } from './reading.ts'

/** Nothing that any pattern knows is shorter. */
const TEXT_CHARS_MIN = 6

/** Readings are worked out once for all steps. A segment never changes, so neither do they. */
const readingsOf = new WeakMap<Segment, readonly Reading[]>()

/** Gives the readings of a segment's text; none when it is too short to hold anything. */
export function segmentReadings(segment: Segment): readonly Reading[] {
  if (segment.text.length < TEXT_CHARS_MIN) return []
  const known = readingsOf.get(segment)
  if (known !== undefined) return known
  const made = readings(segment.text)
  readingsOf.set(segment, made)
  return made
}

/** A call with more findings than this isn't one that anybody could act on; not acted on means refused. */
const FINDINGS_MAX = 10_000

/** More was found than can be judged. */
export class InspectionError extends Error {
  override readonly name = 'InspectionError'
}

/**
 * Gives a detector's findings in all segments, spans in the text as it stands; of several that cover each other, one.
 * A match of a kind in `vague` gives way to one of any other kind that covers it. Throws InspectionError beyond 10,000.
 */
export function inspectAll(
  segments: readonly Segment[],
  detect: (text: string, segment: Segment) => readonly Match[],
  vague: ReadonlySet<string> = new Set(),
): readonly Finding[] {
  const findings: Finding[] = []
  for (const segment of segments) {
    const matches: Match[] = []
    for (const reading of segmentReadings(segment)) {
      for (const match of detect(reading.text, segment)) {
        const [start, end] = reading.span(match.start, match.end)
        matches.push({ ...match, start, end })
      }
    }
    for (const { kind, severity, confidence, start, end } of outermost(matches, vague)) {
      findings.push({ kind, severity, pointer: segment.pointer, span: [start, end], confidence })
    }
    if (findings.length > FINDINGS_MAX) throw new InspectionError('more was found than can be judged')
  }
  return findings
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
