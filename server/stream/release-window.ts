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
 * and once more after finish(window), when everything settles. The released texts, joined, are what redactText returns
 * for the whole text, however it was cut into deltas; so is the set of settled findings, apart from repetitions.
 *
 * Why: whether a match starts at an index depends on the next `matchCharsMax` characters and on nothing farther before
 * it (the law of every step with the stage 'response'). So a match that starts before the last `matchCharsMax`
 * characters is final. Of those characters the steps' `pendingFrom` says where a match may still be pending; what starts
 * before that is final too, and what starts later has not left.
 */
import type { Finding } from '../core/finding.ts'
import type { PendingFrom } from '../core/step.ts'
import { holdFrom, pendingStart } from '../detection/text-variant.ts'
import { mergeSpans, redactText } from '../pipeline/redaction.ts'

/** `context` has left already (in its original form, for looking behind), `held` has not. */
export type Window = Readonly<{
  matchCharsMax: number
  heldCharsMax: number
  context: string
  held: string
  isFinished: boolean
  /** Where within `matchCharsMax` a match may be pending; anywhere when undefined. */
  pendingFrom: PendingFrom | undefined
}>

/** Findings that are final, with spans in scanText, and how much of the held text may leave. */
export type Settled = Readonly<{
  /** 'overfull': a match that never ends fills the window. Refuse the rest; nothing of it has left. */
  status: 'open' | 'overfull'
  findings: readonly Finding[]
  /** Index in scanText before which everything may leave. */
  releaseTo: number
}>

/** Characters that a growing match (a key's body, an encoded run) may hold back before the stream is refused. */
export const HELD_CHARS_MAX = 65_536

/** Creates a window. `matchCharsMax`: the largest of the response steps (UTF-16 code units of visible text). */
export function createWindow(
  matchCharsMax: number,
  heldCharsMax: number = HELD_CHARS_MAX,
  pendingFrom: PendingFrom | undefined = undefined,
): Window {
  return { matchCharsMax, heldCharsMax, context: '', held: '', isFinished: false, pendingFrom }
}

/** Appends text that arrived. */
export function push(window: Window, delta: string): Window {
  return { ...window, held: window.held + delta }
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
  // Matches that start before the last `matchCharsMax` characters are final; within them, those before `pendingFrom`
  // are.
  const boundedFrom = window.isFinished ? text.length : holdFrom(text, window.matchCharsMax)
  const unsettledFrom = window.isFinished || !window.pendingFrom ? boundedFrom : pendingStart(text, window.pendingFrom)
  const limit = Math.max(heldFrom, boundedFrom, unsettledFrom)
  const final = findings.filter(({ span }) => span[0] >= heldFrom && (window.isFinished || span[0] < limit))
  // A range leaves as a whole, so that one mark replaces it. Up to the limit it may still grow: its last match may
  // continue (a key's body), and matches may start within it. `pendingFrom` does not know of matches that started
  // earlier.
  const open = mergeSpans(final).find(({ start, end }) => end > limit || (start < boundedFrom && end > boundedFrom))
  const releaseTo = beforeSurrogatePair(text, Math.min(limit, open?.start ?? limit), heldFrom)
  const isOverfull = text.length - releaseTo > window.heldCharsMax
  return { status: isOverfull ? 'overfull' : 'open', findings: final, releaseTo }
}

/** Releases what may leave, with marks in place of the findings of `kinds`. `settled` must be of this very window. */
export function release(
  window: Window,
  settled: Settled,
  kinds: readonly string[],
): Readonly<{ window: Window; text: string }> {
  const all = scanText(window)
  const heldFrom = window.context.length
  const released = settled.findings
    .filter(({ kind, span }) => kinds.includes(kind) && span[1] > span[0] && span[1] <= settled.releaseTo)
    .map(({ kind, span }) => ({ kind, span: [span[0] - heldFrom, span[1] - heldFrom] as const }))
  const text = redactText(all.slice(heldFrom, settled.releaseTo), released)
  const contextFrom = beforeSurrogatePair(all, Math.max(0, settled.releaseTo - window.matchCharsMax), 0)
  const context = all.slice(contextFrom, settled.releaseTo)
  return { window: { ...window, context, held: all.slice(settled.releaseTo) }, text }
}

/** Moves a cut that would split a surrogate pair before the pair. */
function beforeSurrogatePair(text: string, at: number, indexMin: number): number {
  const isHigh = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
  const isLow = (text.charCodeAt(at) & 0xfc00) === 0xdc00
  return at > indexMin && isHigh && isLow ? at - 1 : at
}
