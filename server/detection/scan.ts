/** Runs a detector over all texts of a call in all their variants, and turns its matches into findings. */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { InspectionError } from '../core/inspection.ts'
import { type TextVariant, variantsOf } from '../normalization/text-variant.ts'
import { withoutCovered } from './covered-match.ts'
import { type JoinedText, joinSegments, piecesOf, readAlone, seamsOf } from './joined-text.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { createNamedValues, isReadAlone, type NamedValue } from './named-value.ts'
import { MATCHES_MAX, type Match } from './pattern.ts'

/** No pattern matches a shorter text. */
const TEXT_CHARS_MIN = 6

/** A call with more findings than this can't be acted on, and is refused. */
const FINDINGS_MAX = MATCHES_MAX

/** Matches in all variants of a segment, of which the outermost count: a match is seen again in each variant that has it. */
const CANDIDATES_MAX = 4 * MATCHES_MAX

/** Throws InspectionError when so much was found that it can't be acted on. */
export function assertFew(found: readonly unknown[]): void {
  if (found.length > FINDINGS_MAX) throw new InspectionError('there are more findings than can be evaluated')
}

/** Matches one text, which is a variant of a segment or of several that are one text, of which it gets the first. */
export type Matcher = (
  text: string,
  keywords: KeywordMemo | undefined,
  segment: Segment,
  variant: TextVariant,
) => readonly Match[]

/**
 * How the matches of a text become findings. A match of a kind in `yielding` gives way to one of any other kind that is
 * as sure; `weigh` says how sure the matches of one text are, given all of them and its first segment. `isWhole`: no text goes on, so that
 * encodings are read, too, that a stream can't be held for (variantsOf).
 */
export type ScanOptions = Readonly<{
  yielding?: ReadonlySet<string>
  weigh?: (matches: readonly Match[], segment: Segment) => readonly Match[]
  isWhole?: boolean
}>

/** Scans the segments of a call with a detector. */
export type Scanner = (segments: readonly Segment[], matcher: Matcher, options?: ScanOptions) => readonly Finding[]

/**
 * Creates a scanner. It returns a detector's findings in all segments, with spans in the original text; of several that
 * cover each other, the surest (withoutCovered). The text parts of a message are scanned as one text: a match over
 * several of them is a finding in each. A value is also scanned behind its name, when `hasKeyword`
 * says that the name has a keyword of a detector in it. Throws InspectionError beyond 10,000.
 */
export function createScanner(hasKeyword: (text: string) => boolean = () => true): Scanner {
  const variants = createVariantCache()
  const namedValueOf = createNamedValues((name) => variantsOf(name).some(({ text }) => hasKeyword(text)))
  const joinedOf = new WeakMap<readonly Segment[], readonly JoinedText[]>()
  return (segments, matcher, { yielding = NO_KINDS, weigh = asTheyAre, isWhole = false } = {}) => {
    const texts = joinedOf.get(segments) ?? joinSegments(segments)
    joinedOf.set(segments, texts)
    return findingsIn(texts, (joined) => {
      const { parts } = joined
      const segment = parts[0] as Segment
      const inside =
        parts.length > 1 || isReadAlone(segment) ? matchesIn(joined, variants(joined, isWhole), matcher) : EMPTY
      const named = namedValueOf(segment)
      const behindName =
        named === undefined ? EMPTY : matchesBehindName(named, (text) => variants(text, isWhole), matcher)
      const matches = behindName.length === 0 ? inside : [...inside, ...behindName]
      return matches.length === 0 ? matches : weigh(withoutCovered(matches, yielding), segment)
    })
  }
}

const EMPTY: readonly never[] = []
const NO_KINDS: ReadonlySet<string> = new Set()
const asTheyAre = (matches: readonly Match[]): readonly Match[] => matches

/** Turns the matches of each text of a call into findings. Throws as a scanner does. */
export function findingsIn(
  texts: readonly JoinedText[],
  matchesOf: (joined: JoinedText) => Iterable<Match>,
): readonly Finding[] {
  let findings: Finding[] | undefined
  for (const joined of texts) {
    for (const { kind, severity, confidence, start, end } of matchesOf(joined)) {
      findings ??= []
      for (const { segment, span } of piecesOf(joined, start, end))
        findings.push({ kind, severity, pointer: segment.pointer, span, confidence })
      assertFew(findings)
    }
  }
  return findings ?? EMPTY
}

/** A variant, and the memo of its keywords. */
type ScannedVariant = Readonly<{ variant: TextVariant; keywords: KeywordMemo }>

/** Returns the variants of a text; none when it is too short to match anything. */
type VariantsOf = (joined: JoinedText, isWhole: boolean) => readonly ScannedVariant[]

/** Variants are computed once for all detectors. A segment never changes, so neither do they. */
function createVariantCache(): VariantsOf {
  type Cached = Readonly<{ parts: JoinedText['parts']; isWhole: boolean; variants: readonly ScannedVariant[] }>
  const cache = new WeakMap<Segment, Cached>()
  return (joined, isWhole) => {
    const { parts, text } = joined
    if (text.length < TEXT_CHARS_MIN) return EMPTY
    const cached = cache.get(parts[0] as Segment)
    const isSame = cached?.parts.length === parts.length && parts.every((part, index) => part === cached.parts[index])
    if (isSame && cached.isWhole === isWhole) return cached.variants
    const variants = variantsOf(text, seamsOf(joined), isWhole).map((variant) => ({ variant, keywords: {} }))
    cache.set(parts[0] as Segment, { parts, isWhole, variants })
    return variants
  }
}

function matchesIn({ parts }: JoinedText, variants: readonly ScannedVariant[], matcher: Matcher): readonly Match[] {
  let matches: Match[] | undefined
  for (const { variant, keywords } of variants) {
    const seen = matcher(variant.text, keywords, parts[0] as Segment, variant)
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
function matchesBehindName(
  named: NamedValue,
  variants: (text: JoinedText) => readonly ScannedVariant[],
  matcher: Matcher,
): readonly Match[] {
  const { start: from } = named
  const [joined, alone] = [readAlone(named.joined), readAlone(named.alone)]
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
