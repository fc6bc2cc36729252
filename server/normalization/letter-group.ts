/** Base64 that is cut into groups or lines of one length, however short: how books, mails and terminals show it. */

import type { EncodedRun } from './decoded-bytes.ts'
import type { UnreadRun } from './encoded-text.ts'
import { runContent } from './judged-run.ts'
import { textOf, type UnpackBudget } from './packed-bytes.ts'

/** Where a group of base64 shows that it is no word: upper case inside it. */
const HINT = /[A-Z](?<=[a-z0-9].)/g
const GROUP_CHARS_MIN = 4
/** Longer lines are runs of base64 by themselves. */
const GROUP_CHARS_MAX = 48
const GROUPS_MIN = 3

/** Between two groups: two blanks, or a line break and an indentation. */
const BLANKS_MAX = 2
const INDENT_MAX = 8

/** What shorter groups are, or fewer characters, is not worth knowing: they are words, or names. */
const UNREAD_GROUP_MIN = 16
const UNREAD_CHARS_MIN = 512

/** Returns runs of three groups and more that hold text; what long ones are is added to `unread`. */
export function groupRuns(text: string, budget: UnpackBudget, unread: UnreadRun[] = []): EncodedRun[] {
  const runs: EncodedRun[] = []
  HINT.lastIndex = 0
  for (let hint = HINT.exec(text); hint !== null; hint = HINT.exec(text)) {
    const groups = groupsAround(text, hint.index)
    if (groups === undefined) {
      HINT.lastIndex = groupEnd(text, hint.index)
      continue
    }
    const { start, end, length } = groups
    const characters = text.slice(start, end).replace(/\s/g, '')
    const decoded = groupText(characters, (bytes) => textOf(bytes, budget))
    if (decoded !== undefined) runs.push({ start, end, text: decoded })
    if (length >= UNREAD_GROUP_MIN && characters.length >= UNREAD_CHARS_MIN) {
      unread.push({ start, end, content: runContent(characters, isNever, budget) })
    }
    HINT.lastIndex = Math.max(HINT.lastIndex, end)
  }
  return runs
}

const isNever = (): boolean => false

function groupText(characters: string, read: (bytes: Buffer) => string | undefined): string | undefined {
  for (let shift = 0; shift < 4; shift++) {
    const text = read(Buffer.from(characters.slice(shift), 'base64'))
    if (text !== undefined) return text
  }
  return undefined
}

/** The groups of one length around an index, and a shorter one at their end; undefined when there are too few. */
function groupsAround(
  text: string,
  index: number,
): Readonly<{ start: number; end: number; length: number }> | undefined {
  let start = groupStart(text, index)
  let end = groupEnd(text, index)
  const length = end - start
  if (length < GROUP_CHARS_MIN || length > GROUP_CHARS_MAX) return undefined
  let count = 1
  for (let before = gapStart(text, start); before > 0; before = gapStart(text, start)) {
    if (before - groupStart(text, before) !== length) break
    start = before - length
    count++
  }
  for (let next = gapEnd(text, end); next > 0; next = gapEnd(text, end)) {
    const nextEnd = groupEnd(text, next)
    if (nextEnd === next || nextEnd - next > length) break
    end = nextEnd
    count++
    if (nextEnd - next < length) break
  }
  while (text[end] === '=') end++
  return count >= GROUPS_MIN ? { start, end, length } : undefined
}

function isBase64(code: number): boolean {
  const lower = code | 32
  return (lower >= 97 && lower <= 122) || (code >= 47 && code <= 57) || code === 43 || code === 45 || code === 95
}

function groupStart(text: string, index: number): number {
  let start = index
  while (start > 0 && index - start <= GROUP_CHARS_MAX && isBase64(text.charCodeAt(start - 1))) start--
  return start
}

function groupEnd(text: string, index: number): number {
  let end = index
  while (end < text.length && end - index <= GROUP_CHARS_MAX && isBase64(text.charCodeAt(end))) end++
  return end
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/** Where the gap ends that begins at an index; -1 when there is none. */
function gapEnd(text: string, from: number): number {
  let end = from
  while (end - from < BLANKS_MAX && isBlank(text.charCodeAt(end))) end++
  if (text[end] === '\r') end++
  if (text[end] !== '\n') return end > from && text[end - 1] !== '\r' ? end : -1
  const line = end + 1
  for (end = line; end - line < INDENT_MAX && isBlank(text.charCodeAt(end)); ) end++
  return end
}

/** Where the gap begins that ends at an index; -1 when there is none. */
function gapStart(text: string, to: number): number {
  let start = to
  while (to - start < INDENT_MAX && isBlank(text.charCodeAt(start - 1))) start--
  if (text[start - 1] !== '\n') return start < to && to - start <= BLANKS_MAX ? start : -1
  start -= text[start - 2] === '\r' ? 2 : 1
  for (let blanks = 0; blanks < BLANKS_MAX && isBlank(text.charCodeAt(start - 1)); blanks++) start--
  return start
}
