/**
 * Lets a streamed text out only where no match can still reach: a pure state machine over one text (the content of one
 * choice, the arguments of one tool call). It neither detects nor decides.
 *
 *     window = push(window, delta)                        text came in
 *     found  = …run the response steps over scanText(window)…
 *     settled = settle(window, found)                     what of it can no longer change
 *     …decide on settled.findings; refuse when settled.status is 'overfull'…
 *     ({ window, text } = release(window, settled, kinds))  text goes out, with the verdict's kinds taken out
 *
 * and once more after finish(window), when everything settles. What goes out, joined, is what redactText returns for the
 * whole text, however the text was cut into deltas; so is the set of settled findings, apart from repetitions.
 *
 * Why: whether a match starts at a place depends on that place's next `matchCharsMax` characters and on nothing further
 * away than that before it (the law of every step with the stage 'response'). So a match that starts before the last
 * `matchCharsMax` characters is final. Of those characters the steps' opening says where something may still be running;
 * what starts before that is final too, and what starts later has not left.
 */
import type { Finding } from '../core/finding.ts'
import type { PendingFrom } from '../core/step.ts'
import { holdFrom, pendingStart } from '../detection/text-variant.ts'
import { mergeSpans, redactText } from '../pipeline/redaction.ts'

/** `context` has left already (as it was written, for looking back), `held` has not. */
export type Window = Readonly<{
  matchCharsMax: number
  heldCharsMax: number
  context: string
  held: string
  isFinished: boolean
  /** Where within the reach something may be running; anywhere when there is none. */
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

/** Opens a window. `matchCharsMax`: the largest of the response steps' (UTF-16 code units of visible text). */
export function createWindow(
  matchCharsMax: number,
  heldCharsMax: number = HELD_CHARS_MAX,
  pendingFrom: PendingFrom | undefined = undefined,
): Window {
  return { matchCharsMax, heldCharsMax, context: '', held: '', isFinished: false, pendingFrom }
}

/** Adds text that came in. */
export const push = (window: Window, delta: string): Window => ({ ...window, held: window.held + delta })

/** Says that no more text comes. */
export const finish = (window: Window): Window => ({ ...window, isFinished: true })

/** The text that the response steps scan now, as one segment. */
export const scanText = (window: Window): string => window.context + window.held

/**
 * Takes everything that the response steps found in scanText and returns what is final. A finding may be given again
 * by a later settle as long as its text is held; it never changes or goes away.
 */
export function settle(window: Window, findings: readonly Finding[]): Settled {
  const text = scanText(window)
  const heldFrom = window.context.length
  // What starts before the reach is final, whatever it is; within the reach, what an opening says is not running.
  const boundedFrom = window.isFinished ? text.length : holdFrom(text, window.matchCharsMax)
  const unsettledFrom = window.isFinished || !window.pendingFrom ? boundedFrom : pendingStart(text, window.pendingFrom)
  const limit = Math.max(heldFrom, boundedFrom, unsettledFrom)
  const final = findings.filter(({ span }) => span[0] >= heldFrom && (window.isFinished || span[0] < limit))
  // A stretch leaves as a whole, so that one mark stands for it. Up to the limit it may still grow: its last match may go
  // on (a key's body), and matches may start within it. An opening knows nothing of matches that began before the reach.
  const open = mergeSpans(final).find(({ start, end }) => end > limit || (start < boundedFrom && end > boundedFrom))
  const releaseTo = beforeSurrogatePair(text, Math.min(limit, open?.start ?? limit), heldFrom)
  const isOverfull = text.length - releaseTo > window.heldCharsMax
  return { status: isOverfull ? 'overfull' : 'open', findings: final, releaseTo }
}

/** Lets out what may leave, with marks in place of the findings of `kinds`. `settled` must be of this very window. */
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

/** Moves a cut that would fall between the halves of a surrogate pair before the pair. */
function beforeSurrogatePair(text: string, at: number, indexMin: number): number {
  const isHigh = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
  const isLow = (text.charCodeAt(at) & 0xfc00) === 0xdc00
  return at > indexMin && isHigh && isLow ? at - 1 : at
}
