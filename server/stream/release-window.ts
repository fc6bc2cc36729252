/**
 * Releases a streamed text only where no match can still reach: a pure state machine over one text (the content of one
 * choice, the arguments of one tool call). It neither detects nor decides.
 *
 *     window = push(window, delta)                        text arrived
 *     found  = …run the response steps over scanText(window)…
 *     settled = settle(window, found)                     what of it can no longer change
 *     …decide on settled.findings; refuse when settled.status is 'overfull'…
 *     ({ window, text } = release(window, settled, kinds))  text leaves, redacted by the verdict's kinds
 *
 * and once more after finish(window), when everything settles. A text that pauses (another field of its choice began) settles as
 * if it had ended, when what is pending at its end tells nothing; it may go on, with what has left as its context. The released texts, joined, are what redactText returns
 * for the whole text, however it was cut into deltas; so is the set of settled findings, apart from repetitions.
 *
 * Why: whether a match starts at an index depends on the next `matchCharsMax` characters and on nothing farther before
 * it (the law of every step with the stage 'response'). So a match that starts before the last `matchCharsMax`
 * characters is final. Of those characters the steps' `pendingFrom` says where a match may still be pending; what starts
 * before that is final too, and what starts later has not left.
 */
import type { Finding } from '../core/finding.ts'
import type { PendingFrom } from '../core/step.ts'
import { holdFrom, pendingStart } from '../normalization/pending-variant.ts'
import { plainEdits } from '../pipeline/plain-redaction.ts'
import { mergeSpans } from '../pipeline/redaction.ts'
import { endsInKeyRun, isTailHarmless } from './harmless-tail.ts'

/** `context` has left already (in its original form, for looking behind), `held` has not. */
export type Window = Readonly<{
  matchCharsMax: number
  heldCharsMax: number
  context: string
  held: string
  isFinished: boolean
  /** Another text of its choice has begun since. */
  isPaused: boolean
  /** It has paused before: what has left may be the beginning of a match. */
  hasPaused: boolean
  /** Where within `matchCharsMax` a match may be pending; anywhere when undefined. */
  pendingFrom: PendingFrom | undefined
}>

/** Findings that are final, with spans in scanText, and how much of the held text may leave. */
export type Settled = Readonly<{
  /** 'overfull': a match that never ends fills the window. Refuse the rest; nothing of it has left. */
  status: 'open' | 'overfull'
  findings: readonly Finding[]
  /** The final finding that each of the given ones has become; those that may still change are not in it. */
  finalOf: ReadonlyMap<Finding, Finding>
  /** Index in scanText before which everything may leave. */
  releaseTo: number
}>

/** Characters that a growing match (a key's body, an encoded run) may hold back before the stream is refused. */
export const HELD_CHARS_MAX = 65_536

/** A part of what leaves: what `chars` characters of the text have become. */
export type ReleasedPart = Readonly<{ text: string; chars: number; isMark: boolean }>

/** Creates a window. `matchCharsMax`: the largest of the response steps (UTF-16 code units of visible text). */
export function createWindow(
  matchCharsMax: number,
  heldCharsMax: number = HELD_CHARS_MAX,
  pendingFrom: PendingFrom | undefined = undefined,
  context = '',
): Window {
  const state = { isFinished: false, isPaused: false, hasPaused: context !== '' }
  return { matchCharsMax, heldCharsMax, context: context.slice(-matchCharsMax), held: '', ...state, pendingFrom }
}

/** Appends text that arrived. */
export function push(window: Window, delta: string): Window {
  return { ...window, held: window.held + delta, isPaused: false }
}

/** Marks the text as paused until more of it arrives. */
export function pause(window: Window): Window {
  return { ...window, isPaused: true, hasPaused: true }
}

/** Marks the text as complete. */
export function finish(window: Window): Window {
  return { ...window, isFinished: true }
}

/** The text that the response steps scan now, as one segment. */
export function scanText(window: Window): string {
  return window.context + window.held
}

/**
 * Given everything that the response steps found in scanText, returns what is final. A later settle may return a
 * finding again while its text is held; it never changes or disappears.
 */
export function settle(window: Window, findings: readonly Finding[]): Settled {
  const text = scanText(window)
  const heldFrom = window.context.length
  const own = ownFindings(window, findings)
  const isWhole = window.isFinished || mayLeavePaused(window, findings)
  // Matches that start before the last `matchCharsMax` characters are final; within them, those before `pendingFrom`
  // are.
  const boundedFrom = isWhole ? text.length : holdFrom(text, window.matchCharsMax)
  const unsettledFrom = isWhole || !window.pendingFrom ? boundedFrom : pendingStart(text, window.pendingFrom)
  const limit = Math.max(heldFrom, boundedFrom, unsettledFrom)
  const finalOf = new Map(own.filter(([, { span }]) => isWhole || span[0] < limit))
  const final = [...finalOf.values()]
  // A range leaves as a whole, so that one mark replaces it. Up to the limit it may still grow: its last match may
  // continue (a key's body), and matches may start within it. `pendingFrom` does not know of matches that started
  // earlier.
  const open = mergeSpans(final).find(({ start, end }) => end > limit || (start < boundedFrom && end > boundedFrom))
  const cut = beforeSurrogatePair(text, Math.min(limit, open?.start ?? limit), heldFrom)
  const releaseTo = isWhole ? cut : beforeEscape(text, cut, heldFrom)
  const isOverfull = text.length - releaseTo > window.heldCharsMax
  return { status: isOverfull ? 'overfull' : 'open', findings: final, finalOf, releaseTo }
}

/** Findings in the held text, each with what it has become: of one that began before the text paused, the part that is held. */
function ownFindings(
  { context, held, hasPaused }: Window,
  findings: readonly Finding[],
): readonly (readonly [given: Finding, own: Finding])[] {
  const heldFrom = context.length
  return findings.flatMap((finding): readonly (readonly [Finding, Finding])[] => {
    const [start] = finding.span
    // A quote behind the text may be in it.
    const end = Math.min(finding.span[1], heldFrom + held.length)
    if (start >= heldFrom && end === finding.span[1]) return [[finding, finding]]
    const isOwn = end > heldFrom && (start >= heldFrom || hasPaused)
    return isOwn ? [[finding, { ...finding, span: [Math.max(start, heldFrom), end] }]] : []
  })
}

function mayLeavePaused(window: Window, findings: readonly Finding[]): boolean {
  const { isPaused, matchCharsMax, pendingFrom = (text: string) => text.length - matchCharsMax } = window
  if (!isPaused) return false
  const text = scanText(window)
  return isTailHarmless(text, pendingFrom, findings) && !endsInKeyRun(text, findings)
}

/** Releases what may leave, with marks in place of the findings of `kinds`. `settled` must be of this very window. */
export function release(
  window: Window,
  settled: Settled,
  kinds: readonly string[],
): Readonly<{ window: Window; text: string; parts: readonly ReleasedPart[] }> {
  const all = scanText(window)
  const heldFrom = window.context.length
  const released = settled.findings.filter(
    ({ kind, span }) => kinds.includes(kind) && span[1] > span[0] && span[1] <= settled.releaseTo,
  )
  const parts = partsOf(all, heldFrom, settled.releaseTo, released)
  const text = parts.map((part) => part.text).join('')
  const contextFrom = beforeSurrogatePair(all, Math.max(0, settled.releaseTo - window.matchCharsMax), 0)
  const context = all.slice(contextFrom, settled.releaseTo)
  return { window: { ...window, context, held: all.slice(settled.releaseTo) }, text, parts }
}

function partsOf(text: string, from: number, to: number, findings: readonly Finding[]): readonly ReleasedPart[] {
  const parts: ReleasedPart[] = []
  const addText = (end: number): void => {
    if (end > from) parts.push({ text: text.slice(from, end), chars: end - from, isMark: false })
  }
  for (const { start, end, text: mark } of plainEdits(text.slice(0, to), mergeSpans(findings), from)) {
    addText(start)
    parts.push({ text: mark, chars: end - start, isMark: true })
    from = end
  }
  addText(to)
  return parts
}

/** Moves a cut between a backslash and what it escapes before the backslash. */
function beforeEscape(text: string, at: number, indexMin: number): number {
  let start = at
  while (start > indexMin && text.charAt(start - 1) === '\\') start--
  return at - ((at - start) % 2)
}

/** Moves a cut that would split a surrogate pair before the pair. */
function beforeSurrogatePair(text: string, at: number, indexMin: number): number {
  const isHigh = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
  const isLow = (text.charCodeAt(at) & 0xfc00) === 0xdc00
  return at > indexMin && isHigh && isLow ? at - 1 : at
}
