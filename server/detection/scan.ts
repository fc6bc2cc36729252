/** Runs a detector over all texts of a call in all their variants, and turns its matches into findings. */
import type { Segment, TextOrigin } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { InspectionError } from '../core/inspection.ts'
import { type TextVariant, VariantError, variantsOf } from '../normalization/text-variant.ts'
import { withoutChance } from './chance-match.ts'
import { withoutCovered } from './covered-match.ts'
import { type JoinedText, joinSegments, piecesOf, readAlone, seamsOf } from './joined-text.ts'
import type { KeywordMemo } from './keyword-index.ts'
import { createNameCheck, isReadAlone, namedValue } from './named-value.ts'
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
 * as sure; `weigh` says how sure the matches of one text are, given all of them and its first segment. `origin`: what the texts are parts
 * of, which says how they are read (variantsOf).
 */
export type ScanOptions = Readonly<{
  yielding?: ReadonlySet<string>
  weigh?: (matches: readonly Match[], segment: Segment) => readonly Match[]
  origin?: TextOrigin
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
  const hasTrigger = createNameCheck((name) => variantsOf(name).some(({ text }) => hasKeyword(text)))
  const textsOf = createTextMemo()
  return (segments, matcher, { yielding = NO_KINDS, weigh = asTheyAre, origin = 'stream' } = {}) => {
    const texts = textsOf(segments)
    let findings: Finding[] | undefined
    for (const scanned of texts) {
      const segment = scanned.parts[0] as Segment
      const inside = scanned.parts.length > 1 || isReadAlone(segment) ? matchesIn(scanned, origin, matcher) : EMPTY
      const behindName = hasTrigger(segment.name) ? matchesBehindName(scanned, origin, matcher) : EMPTY
      const matches = behindName.length === 0 ? inside : [...inside, ...behindName]
      if (matches.length > 0)
        findings = withMatches(findings, scanned, weigh(withoutCovered(matches, yielding), segment))
    }
    return findings ?? EMPTY
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
  for (const joined of texts) findings = withMatches(findings, joined, matchesOf(joined))
  return findings ?? EMPTY
}

function withMatches(
  given: Finding[] | undefined,
  joined: JoinedText,
  matches: Iterable<Match>,
): Finding[] | undefined {
  let findings = given
  for (const { kind, severity, confidence, start, end } of matches) {
    findings ??= []
    for (const { segment, span } of piecesOf(joined, start, end))
      findings.push({ kind, severity, pointer: segment.pointer, span, confidence })
    assertFew(findings)
  }
  return findings
}

/** A variant, and the memo of its keywords. */
type ScannedVariant = Readonly<{ variant: TextVariant; keywords: KeywordMemo }>

/**
 * A text, and what is computed of it once for all detectors: its variants (of a text that is whole, or is not) or why it has
 * none, its value behind its name.
 */
type ScannedText = JoinedText & {
  origin: TextOrigin
  variants: readonly ScannedVariant[] | InspectionError | VariantError | undefined
  named: Readonly<{ joined: ScannedText; alone: ScannedText; start: number }> | undefined
}

/**
 * Returns the texts of a list of segments, the same for the list of the last time: the detectors of a call come one after
 * the other. A weak map by list, or by segment, would have the garbage collector take a third longer over each call.
 */
function createTextMemo(): (segments: readonly Segment[]) => readonly ScannedText[] {
  type Memo = Readonly<{ segments: readonly Segment[]; texts: readonly ScannedText[] }>
  // Weak, because texts may be long, and the next call may be long in coming.
  let last: WeakRef<Memo> | undefined
  return (segments) => {
    const memo = last?.deref()
    if (memo?.segments === segments) return memo.texts
    const texts = joinSegments(segments).map(notYetScanned)
    last = new WeakRef({ segments, texts })
    return texts
  }
}

function notYetScanned({ parts, starts, text }: JoinedText): ScannedText {
  return { parts, starts, text, origin: 'stream', variants: undefined, named: undefined }
}

/** The variants of a text; none when it is too short to match anything. */
function variantsIn(scanned: ScannedText, origin: TextOrigin): readonly ScannedVariant[] {
  const { text } = scanned
  if (text.length < TEXT_CHARS_MIN) return EMPTY
  if (scanned.variants === undefined || scanned.origin !== origin) {
    scanned.variants = readVariants(scanned, origin)
    scanned.origin = origin
  }
  if (scanned.variants instanceof Error) throw scanned.variants
  return scanned.variants
}

/** What can't be read for one detector can't be read for the next. */
function readVariants(scanned: ScannedText, origin: TextOrigin): NonNullable<ScannedText['variants']> {
  try {
    return variantsOf(scanned.text, seamsOf(scanned), origin).map((variant) => ({ variant, keywords: {} }))
  } catch (cause) {
    if (cause instanceof InspectionError || cause instanceof VariantError) return cause
    throw cause
  }
}

function matchesIn(scanned: ScannedText, origin: TextOrigin, matcher: Matcher): readonly Match[] {
  let matches: Match[] | undefined
  for (const { variant, keywords } of variantsIn(scanned, origin)) {
    const seen = matcher(variant.text, keywords, scanned.parts[0] as Segment, variant)
    if (seen.length > MATCHES_MAX || (matches?.length ?? 0) > CANDIDATES_MAX)
      throw new InspectionError('there are more findings than can be evaluated')
    for (const match of withoutChance(variant.text, seen)) {
      const [start, end] = variant.span(match.start, match.end)
      matches ??= []
      matches.push({ ...match, start, end })
    }
  }
  return matches ?? EMPTY
}

/** What is in a value only because of the name in front of it. */
function matchesBehindName(scanned: ScannedText, origin: TextOrigin, matcher: Matcher): readonly Match[] {
  scanned.named ??= withName(scanned.parts[0] as Segment)
  const { joined, alone, start: from } = scanned.named
  const inside = matchesIn(joined, origin, matcher)
    .map((match) => ({
      ...match,
      start: Math.max(0, match.start - from),
      end: Math.min(alone.text.length, match.end - from),
    }))
    .filter(({ start, end }) => end > start)
  if (inside.length === 0) return EMPTY
  const without = new Set(matchesIn(alone, origin, matcher).map(placeOf))
  return inside.filter((match) => !without.has(placeOf(match)))
}

function withName(segment: Segment): NonNullable<ScannedText['named']> {
  const { joined, alone, start } = namedValue(segment)
  return { joined: notYetScanned(readAlone(joined)), alone: notYetScanned(readAlone(alone)), start }
}

function placeOf({ kind, start, end }: Match): string {
  return `${kind} ${start} ${end}`
}
