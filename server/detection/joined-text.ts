/**
 * Which segments of a call are read as one text: the text parts of a message, whatever stands between them, and the
 * strings of a list of prompts. Models read them in one go.
 */
import type { Segment } from '../core/call.ts'
import { lastAtOrBefore } from '../normalization/position-map.ts'
import { isDigitCode } from './digit.ts'

/** Segments that are read as one, and where each starts in `text`. */
export type JoinedText = Readonly<{ parts: readonly Segment[]; starts: readonly number[]; text: string }>

/** The text part of a message, or a string of a list: the pointer of the list. */
const PART = /^(.*)\/\d+(?:\/text(?:\/value)?)?$/
/** Answers of their own, although an older route calls their content `text`. */
const CHOICES = '/choices'

const LIST = /\/(?:content|input|instructions|prompt|system)$/

/** A list and an author: what a tool said is not read together with what a user wrote. */
function listOf({ pointer, author }: Segment): string | undefined {
  // Nearly all pointers end otherwise.
  if (!pointer.endsWith('/text') && !pointer.endsWith('/value') && !isDigitCode(pointer.charCodeAt(pointer.length - 1)))
    return undefined
  const list = PART.exec(pointer)?.[1]
  if (list === undefined || list === CHOICES) return undefined
  return !(pointer.includes('/text', list.length) || LIST.test(list)) ? undefined : author + list
}

/**
 * Joins the segments of a call, in the order of their first parts; most are read alone. Between two parts is a line
 * break, so that words, and what begins or ends a text, stay what they are; or what `separator` says.
 */
export function joinSegments(segments: readonly Segment[], separator: '\n' | '' = '\n'): readonly JoinedText[] {
  const groups: Segment[][] = []
  const ofList = new Map<string, Segment[]>()
  for (const segment of segments) {
    const list = listOf(segment)
    const group = list === undefined ? undefined : ofList.get(list)
    if (group !== undefined) group.push(segment)
    else {
      const alone = [segment]
      groups.push(alone)
      if (list !== undefined) ofList.set(list, alone)
    }
  }
  return groups.map((parts) => join(parts, separator))
}

const ALONE: readonly number[] = [0]

/** A segment that is a text of its own. */
export function readAlone(segment: Segment): JoinedText {
  return { parts: [segment], starts: ALONE, text: segment.text }
}

function join(parts: readonly Segment[], separator: string): JoinedText {
  if (parts.length === 1) return readAlone(parts[0] as Segment)
  const starts: number[] = []
  let chars = 0
  for (const { text } of parts) {
    starts.push(chars)
    chars += text.length + separator.length
  }
  return { parts, starts, text: parts.map(({ text }) => text).join(separator) }
}

/** The places of the line breaks between the parts of a text. */
export function seamsOf({ starts }: JoinedText): readonly number[] {
  return starts.slice(1).map((start) => start - 1)
}

/** The pieces that a range of a text has in its parts. */
export function piecesOf(
  { parts, starts }: JoinedText,
  start: number,
  end: number,
): readonly Readonly<{ segment: Segment; span: readonly [start: number, end: number] }>[] {
  const pieces = []
  for (let index = lastAtOrBefore(starts, start); index < parts.length; index++) {
    const segment = parts[index] as Segment
    const from = starts[index] as number
    if (from >= end && index > 0) break
    const span = [Math.max(0, start - from), Math.min(segment.text.length, end - from)] as const
    if (span[0] < span[1] || parts.length === 1) pieces.push({ segment, span })
  }
  return pieces
}
