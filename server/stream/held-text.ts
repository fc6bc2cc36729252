/**
 * The held texts of one streamed response, each behind its window, and the places in chunks that they fill. Pure
 * bookkeeping: which of them are due, what of them is settled, what has become of them.
 */
import type { Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { PendingFrom } from '../core/step.ts'
import type { HeldField } from '../protocol/stream-chunk.ts'
import type { TextSlot } from '../protocol/text-slot.ts'
import type { Backlog } from './judgement-pace.ts'
import {
  createWindow,
  finish,
  HELD_CHARS_MAX,
  pause,
  push,
  type ReleasedPart,
  release,
  type Settled,
  scanText,
  settle,
  type Window,
} from './release-window.ts'

/** `slots` are the places of the held text, in its order. `isDue`: something of it has changed since it was settled. */
type HeldText = { window: Window; readonly isNamed: boolean; slots: TextSlot[]; isDue: boolean; newChars: number }

/** All texts of a stream by pointer; `current` is the one that each choice is at. */
export type HeldTexts = Readonly<{
  matchCharsMax: number
  pendingFrom: PendingFrom
  byPointer: Map<string, HeldText>
  current: Map<number, string>
}>

/** A text that is to be scanned now. */
export type DueText = Readonly<{ pointer: string; text: string }>

/** Creates the texts of a stream. `matchCharsMax`: the largest of the response steps; `pendingFrom`: of them all. */
export function createHeldTexts(matchCharsMax: number, pendingFrom: PendingFrom): HeldTexts {
  return { matchCharsMax, pendingFrom, byPointer: new Map(), current: new Map() }
}

/** No match that begins in a name reaches farther back. */
const NAME_CHARS_MAX = 64

/** Appends the text of a chunk. `earlier` is what has left of it as a whole before, when it is held for the first time. */
export function appendText(texts: HeldTexts, { field, slot }: HeldField, earlier: string): void {
  const { matchCharsMax, pendingFrom, byPointer, current } = texts
  if (current.get(field.choice) !== field.pointer) pauseChoice(texts, field.choice)
  current.set(field.choice, field.pointer)
  let held = byPointer.get(field.pointer)
  if (held === undefined) {
    const window = createWindow(matchCharsMax, HELD_CHARS_MAX, pendingFrom, nameBefore(field) + earlier)
    held = { window, isNamed: field.name !== undefined, slots: [], isDue: true, newChars: 0 }
    byPointer.set(field.pointer, held)
  }
  held.window = push(held.window, field.text)
  held.slots.push(slot)
  held.newChars += field.text.length
  held.isDue = true
}

/** What stands in front of a value in JSON: its name may tell what the value alone does not. */
function nameBefore({ name }: HeldField['field']): string {
  return name === undefined ? '' : `"${name.slice(-NAME_CHARS_MAX)}": "`
}

/** Pauses the text that a choice is at: something else of it has begun. */
export function pauseChoice({ byPointer, current }: HeldTexts, choice: number): void {
  const held = byPointer.get(current.get(choice) ?? '')
  if (held === undefined) return
  current.delete(choice)
  held.window = pause(held.window)
  held.isDue ||= held.window.held !== ''
}

/** Ends all texts. */
export function finishTexts({ byPointer }: HeldTexts): void {
  for (const held of byPointer.values()) {
    held.window = finish(held.window)
    held.isDue = held.window.held !== ''
  }
}

/** The texts that are to be scanned now. */
export function dueTexts({ byPointer }: HeldTexts): readonly DueText[] {
  const due: DueText[] = []
  for (const [pointer, held] of byPointer) if (held.isDue) due.push({ pointer, text: dueText(held) })
  return due
}

/** A value that stands behind its name ends with a quote. */
function dueText({ window, isNamed }: HeldText): string {
  return isNamed && (window.isFinished || window.isPaused) ? `${scanText(window)}"` : scanText(window)
}

/** How much of the texts is new, and how much would be scanned. */
export function backlogOf({ byPointer }: HeldTexts): Backlog {
  let [newChars, heldChars] = [0, 0]
  for (const held of byPointer.values()) {
    if (!held.isDue) continue
    newChars += held.newChars
    heldChars += held.window.held.length
  }
  return { newChars, heldChars }
}

/** Given the findings in a due text, returns which of them are final and how far it may leave. */
export function settleText({ byPointer }: HeldTexts, pointer: string, findings: readonly Finding[]): Settled {
  return settle(textAt(byPointer, pointer).window, findings)
}

/** Puts what is settled of a due text into its places, without the findings of `kinds`. */
export function releaseText(
  { byPointer }: HeldTexts,
  pointer: string,
  settled: Settled,
  kinds: readonly string[],
): void {
  const held = textAt(byPointer, pointer)
  const released = release(held.window, settled, kinds)
  held.window = released.window
  held.isDue = false
  held.newChars = 0
  let first = 0
  for (const part of released.parts) first = fillSlots(held.slots, first, part)
  held.slots.splice(0, first)
}

/**
 * Fills places from index `first` on, and returns the index of the first that is not full. A mark stands where its text
 * begins; the places of the rest of that text stay empty.
 */
function fillSlots(slots: readonly TextSlot[], first: number, { text, chars, isMark }: ReleasedPart): number {
  let index = first
  for (let at = 0; at < chars; ) {
    const slot = slots[index]
    if (!slot) throw new Error('more text leaves than has come')
    const taken = Math.min(slot.heldChars, chars - at)
    slot.fill(isMark ? (at === 0 ? text : '') : text.slice(at, at + taken), taken)
    at += taken
    if (slot.heldChars === 0) index++
  }
  return index
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
