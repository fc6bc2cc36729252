/**
 * The held texts of one streamed response, each behind its window. Pure bookkeeping: which of them are due, what of
 * them is settled, what leaves.
 */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { PendingFrom } from '../core/step.ts'
import type { TextDelta } from '../protocol/stream-chunk.ts'
import {
  createWindow,
  finish,
  HELD_CHARS_MAX,
  push,
  release,
  type Settled,
  scanText,
  settle,
  type Window,
} from './release-window.ts'

/** Characters that accumulate in a window before it is scanned again: text that is held back anyway loses little. */
const NEW_CHARS_MIN = 64

type HeldText = { window: Window; delta: TextDelta; newChars: number }

/** All texts of a stream by pointer. */
export type HeldTexts = Readonly<{ matchCharsMax: number; pendingFrom: PendingFrom; byPointer: Map<string, HeldText> }>

/** A text that is to be scanned now. */
export type DueText = Readonly<{ pointer: string; text: string }>

/** Creates the texts of a stream. `matchCharsMax`: the largest of the response steps; `pendingFrom`: of them all. */
export function createHeldTexts(matchCharsMax: number, pendingFrom: PendingFrom): HeldTexts {
  return { matchCharsMax, pendingFrom, byPointer: new Map() }
}

/**
 * Appends the text of a chunk. False when the text had ended: what follows could complete a match that has left in
 * part.
 */
export function appendDelta({ matchCharsMax, pendingFrom, byPointer }: HeldTexts, delta: TextDelta): boolean {
  const window = (): Window => createWindow(matchCharsMax, HELD_CHARS_MAX, pendingFrom)
  const text = byPointer.get(delta.pointer) ?? { window: window(), delta, newChars: 0 }
  if (text.window.isFinished) return false
  text.window = push(text.window, delta.text)
  text.newChars += delta.text.length
  byPointer.set(delta.pointer, text)
  return true
}

/** Ends the texts of a choice; of all choices when none is given. */
export function endTexts({ byPointer }: HeldTexts, choice?: number): void {
  for (const text of byPointer.values()) {
    if (choice === undefined || text.delta.choice === choice) text.window = finish(text.window)
  }
}

/** The texts that are to be scanned now: enough has arrived, or they have ended with something still held. */
export function dueTexts({ byPointer }: HeldTexts): readonly DueText[] {
  const due: DueText[] = []
  for (const [pointer, { window, newChars }] of byPointer) {
    const isDue = window.isFinished ? window.held !== '' : newChars >= NEW_CHARS_MIN
    if (isDue) due.push({ pointer, text: scanText(window) })
  }
  return due
}

/** Given the findings in a due text, returns which of them are final and how far it may leave. */
export function settleText({ byPointer }: HeldTexts, pointer: string, findings: readonly Finding[]): Settled {
  return settle(textAt(byPointer, pointer).window, findings)
}

/** Releases what is settled of a due text, without the findings of `kinds`; '' when nothing may leave yet. */
export function releaseText(
  { byPointer }: HeldTexts,
  pointer: string,
  settled: Settled,
  kinds: readonly string[],
): Readonly<{ delta: TextDelta; text: string }> {
  const held = textAt(byPointer, pointer)
  const released = release(held.window, settled, kinds)
  held.window = released.window
  held.newChars = 0
  return { delta: held.delta, text: released.text }
}

/** The segment that the response steps scan for a due text. */
export function dueSegment({ pointer, text }: DueText): Segment {
  return { pointer, author: 'assistant', text }
}

function textAt(byPointer: HeldTexts['byPointer'], pointer: string): HeldText {
  const text = byPointer.get(pointer)
  if (!text) throw new Error(`no text at ${pointer}`)
  return text
}
