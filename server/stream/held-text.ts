/**
 * The texts of one streamed answer, each behind its window. Pure bookkeeping: which of them are due for judgement, what of
 * them is final, what leaves.
 */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Opening } from '../core/step.ts'
import type { Growth } from '../protocol/stream-chunk.ts'
import {
  finish,
  HELD_CHARS_MAX,
  openWindow,
  push,
  release,
  type Settled,
  scanText,
  settle,
  type Window,
} from './release-window.ts'

/** Characters that gather in a window before it is looked through again: text that is held back anyway loses little. */
const FRESH_CHARS_MIN = 64

type Text = { window: Window; growth: Growth; freshChars: number }

/** All texts of a stream by pointer. */
export type Texts = Readonly<{ reachChars: number; opening: Opening; byPointer: Map<string, Text> }>

/** A text that is to be judged now. */
export type Due = Readonly<{ pointer: string; text: string }>

/** Opens the texts of a stream. `reachChars`: the largest of the response steps'; `opening`: of them all. */
export function openTexts(reachChars: number, opening: Opening): Texts {
  return { reachChars, opening, byPointer: new Map() }
}

/** Adds what a chunk said. False when the text had ended: what follows could complete a match that has left in part. */
export function grow({ reachChars, opening, byPointer }: Texts, growth: Growth): boolean {
  const window = (): Window => openWindow(reachChars, HELD_CHARS_MAX, opening)
  const text = byPointer.get(growth.pointer) ?? { window: window(), growth, freshChars: 0 }
  if (text.window.isFinished) return false
  text.window = push(text.window, growth.text)
  text.freshChars += growth.text.length
  byPointer.set(growth.pointer, text)
  return true
}

/** Says that the texts of a choice have ended; of all choices when none is given. */
export function endTexts({ byPointer }: Texts, choice?: number): void {
  for (const text of byPointer.values()) {
    if (choice === undefined || text.growth.choice === choice) text.window = finish(text.window)
  }
}

/** The texts that are to be judged now: enough has come in, or they have ended with something still held. */
export function dueTexts({ byPointer }: Texts): readonly Due[] {
  const due: Due[] = []
  for (const [pointer, { window, freshChars }] of byPointer) {
    const isDue = window.isFinished ? window.held !== '' : freshChars >= FRESH_CHARS_MIN
    if (isDue) due.push({ pointer, text: scanText(window) })
  }
  return due
}

/** Takes the findings in a due text, gives which of them are final and how far it may leave. */
export function settleText({ byPointer }: Texts, pointer: string, findings: readonly Finding[]): Settled {
  return settle(textAt(byPointer, pointer).window, findings)
}

/** Lets out of a due text what is settled, without the findings of `kinds`; '' when nothing may leave yet. */
export function releaseText(
  { byPointer }: Texts,
  pointer: string,
  settled: Settled,
  kinds: readonly string[],
): Readonly<{ growth: Growth; text: string }> {
  const held = textAt(byPointer, pointer)
  const released = release(held.window, settled, kinds)
  held.window = released.window
  held.freshChars = 0
  return { growth: held.growth, text: released.text }
}

/** The segment that the response steps look through for a due text. */
export function dueSegment({ pointer, text }: Due): Segment {
  return { pointer, author: 'assistant', text }
}

function textAt(byPointer: Texts['byPointer'], pointer: string): Text {
  const text = byPointer.get(pointer)
  if (!text) throw new Error(`no text at ${pointer}`)
  return text
}
