/** Which matches of a text count, when one lies inside another: a strong one always does. */
import { SEVERITIES } from '../core/finding-family.ts'
import type { Match } from './pattern.ts'

/** How sure matches are and how far they reach: the surer, the shorter. Whatever is no better than another is left out. */
type Reach = { readonly confidence: number; readonly end: number }[]

/**
 * Drops a match when another of its kind covers it that is at least as sure and as severe, and one of a kind in
 * `yielding` when such a match of any other kind covers it. The rest is sorted by where it starts. What a dropped match
 * spans lies within one that is kept.
 */
export function withoutCovered(matches: readonly Match[], yielding: ReadonlySet<string>): readonly Match[] {
  if (matches.length < 2) return matches
  const isYielding = ({ kind }: Match): number => (yielding.has(kind) ? 1 : 0)
  const sorted = [...matches].sort(
    (a, b) =>
      a.start - b.start ||
      b.end - a.end ||
      isYielding(a) - isYielding(b) ||
      b.confidence - a.confidence ||
      severityOf(b) - severityOf(a),
  )
  const ofKind = new Map<string, Reach[]>()
  const ofOthers = newReaches()
  return sorted.filter((match) => {
    const same = ofKind.get(match.kind) ?? newReaches()
    ofKind.set(match.kind, same)
    if (isCovered(match, same) || (isYielding(match) === 1 && isCovered(match, ofOthers))) return false
    add(match, same)
    if (isYielding(match) === 0) add(match, ofOthers)
    return true
  })
}

function severityOf({ severity }: Match): number {
  return SEVERITIES.indexOf(severity)
}

/** One for each severity. */
function newReaches(): Reach[] {
  return SEVERITIES.map(() => [])
}

/** Whether a match, which starts no earlier than all that were added, ends within one that is as good. */
function isCovered(match: Match, reaches: readonly Reach[]): boolean {
  const isAsGood = ({ confidence, end }: Reach[number]): boolean => confidence >= match.confidence && end >= match.end
  return reaches.slice(severityOf(match)).some((reach) => reach.some(isAsGood))
}

/** Adds a match; there are never more than there are different confidences. */
function add(match: Match, reaches: Reach[]): void {
  const severity = severityOf(match)
  const { confidence, end } = match
  const better = (reaches[severity] as Reach).filter((one) => one.confidence > confidence || one.end > end)
  reaches[severity] = [...better, { confidence, end }]
}
