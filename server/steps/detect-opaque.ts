/**
 * Detects what no other detector can read: long runs that decode to nothing readable, compressed and encrypted texts, and
 * what is encoded too deep. Whether that matters is for the policy; by default it is noted.
 */
import { originOf, type Segment, type TextOrigin } from '../core/call.ts'
import type { LocalStep } from '../core/step.ts'
import type { Engine } from '../detection/engine.ts'
import type { Match } from '../detection/pattern.ts'
import type { Matcher } from '../detection/scan.ts'
import type { UnreadRun } from '../normalization/encoded-text.ts'
import { isUnreadable, judgedRuns } from '../normalization/judged-run.ts'
import { lastAtOrBefore } from '../normalization/position-map.ts'
import type { TextVariant } from '../normalization/text-variant.ts'

/** What model servers make themselves and want back as it is, in a turn of the model; where Responses has its own items; anywhere but in a user's. */
const IN_MODEL_TURN = /\/(?:signature|thought_signature|data)$/
const OWN_ITEM = /^\/(?:input|output)\/\d+\/encrypted_content$/
const ENCRYPTED_CONTENT = '/encrypted_content'

/** Sound without a file around it, and how it is called beside it. */
const SOUND = '/input_audio/data'
const SOUND_FORMAT = '/input_audio/format'
const BARE_FORMAT = /^(?:pcm|g711|raw|mulaw|alaw)/

/** What encrypted texts begin with, in short and with what follows. */
const ENCRYPTED_WORDS = ['-----BEGIN ', '$ANSIBLE_VAULT;', 'age-encryption.org/v1', 'U2FsdGVkX1']
const ENCRYPTED =
  /-----BEGIN (?:PGP MESSAGE|AGE ENCRYPTED FILE|CMS)-----[\s\S]{0,120}?[A-Za-z0-9+/]{40}|\$ANSIBLE_VAULT;\d\.\d;AES|age-encryption\.org\/v1\n->|\bU2FsdGVkX1[A-Za-z0-9+/]{20}/

/** In a text that is none, so many of its characters are controls or could not be read as UTF-8. */
const BINARY_SHARE = 0.1
const BINARY_CHARS_MIN = 200
const BINARY = /[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]/g

/** The kind of a run that can be read or shown; those of other matches that are no findings: they may be a part of one. */
const KNOWN = 'known'
const PARTS = new Set(['cut', 'none'])

/** Kinds `opaque.*`, at most one in each text. */
export function createStep(engine: Engine): LocalStep {
  return {
    name: 'detect_opaque',
    position: 270,
    category: 'data_protection',
    stages: ['request', 'response'],
    isCacheable: true,
    // A stream holds encoded runs to their end for the others; for this step, which only notes, it holds nothing.
    matchCharsMax: 0,
    pendingFrom: (text) => text.length,
    inspect: (call) => {
      const origin = originOf(call)
      const match: Matcher = (text, _, segment, variant) =>
        isExempt(segment, call.segments) ? [] : opaqueMatches(text, variant, origin)
      return engine.scan(call.segments, match, { origin, weigh: firstOpaque })
    },
  }
}

/** What the model's server alone can read, and sound that has no file around it. */
function isExempt({ pointer, author }: Segment, segments: readonly Segment[]): boolean {
  if (author === 'assistant' && IN_MODEL_TURN.test(pointer)) return true
  if (pointer.endsWith(ENCRYPTED_CONTENT)) return author === 'assistant' || author === 'tool' || OWN_ITEM.test(pointer)
  if (!pointer.endsWith(SOUND)) return false
  const format = pointer.slice(0, -SOUND.length) + SOUND_FORMAT
  return segments.some((other) => other.pointer === format && BARE_FORMAT.test(other.text))
}

function opaqueMatches(
  text: string,
  { unread, isVisible, isAscii, isEdited }: TextVariant,
  origin: TextOrigin,
): readonly Match[] {
  const notRead = unread.map((run) => matchOf(run.content ?? (isVisible ? 'compressed' : 'nested'), run))
  const runs = judgedRuns(text, origin !== 'stream')
    .filter(({ content, start }) => isVisible || (isUnreadable(content) && !isEscaped(text, start)))
    .map(({ content, ...run }) => matchOf(content, run))
  // Of an edited text, the rest is there in part.
  if (isEdited === true) return [...notRead, ...runs]
  const encrypted = ENCRYPTED_WORDS.some((word) => text.includes(word)) ? ENCRYPTED.exec(text) : null
  // A piece of a stream is not the whole text.
  const isBinary =
    origin !== 'stream' &&
    isVisible &&
    isAscii !== true &&
    text.length >= BINARY_CHARS_MIN &&
    binaryShare(text) >= BINARY_SHARE
  return [
    ...notRead,
    ...(encrypted === null ? [] : [matchOf('encrypted', rangeOf(encrypted))]),
    ...runs,
    ...(isBinary ? [matchOf('binary', { start: 0, end: text.length })] : []),
  ]
}

/** Whether an escape stands before a run: what is in front of that belongs to it. */
function isEscaped(text: string, start: number): boolean {
  return text[start - 1] === '\\' || text[start - 1] === '%'
}

function rangeOf({ 0: found, index }: RegExpExecArray): UnreadRun {
  return { start: index, end: index + found.length }
}

function matchOf(kind: string, { start, end }: UnreadRun): Match {
  const isFinding = kind !== KNOWN && !PARTS.has(kind)
  return {
    kind: isFinding ? `opaque.${kind}` : kind,
    severity: 'low',
    confidence: isFinding ? 0.9 : 1,
    start,
    end,
  }
}

/**
 * The first match that has no part in what can be read: an escape parts a picture in two, of which the second looks like
 * nothing, and a word may be stuck to its front. What is inside an encoded run spans all of it, and counts.
 */
function firstOpaque(matches: readonly Match[]): readonly Match[] {
  if (matches.length === 0) return matches
  const { spans, starts, ends } = knownRanges(matches)
  const first = matches.find(({ kind, start, end }) => {
    if (kind === KNOWN || PARTS.has(kind)) return false
    const last = lastAtOrBefore(starts, end - 1)
    return spans.has(`${start} ${end}`) || !((starts[last] ?? end) < end && (ends[last] ?? 0) > start)
  })
  return first === undefined ? [] : [first]
}

/** What can be read, in order: where a match begins within it, it goes on to that one's end. */
function knownRanges(matches: readonly Match[]) {
  const spans = new Set<string>()
  const [starts, ends]: [number[], number[]] = [[], []]
  for (const { kind, start, end } of matches) {
    const knownTo = ends.at(-1) ?? 0
    const isInside = start < knownTo
    if (kind !== KNOWN && (!isInside || spans.has(`${start} ${end}`))) continue
    if (kind === KNOWN) spans.add(`${start} ${end}`)
    if (isInside) ends[ends.length - 1] = Math.max(knownTo, end)
    else {
      starts.push(start)
      ends.push(end)
    }
  }
  return { spans, starts, ends }
}

/** Counted one by one: each match in a list would take fifty times its text. */
function binaryShare(text: string): number {
  let count = 0
  BINARY.lastIndex = 0
  while (BINARY.test(text)) count++
  return count / text.length
}
