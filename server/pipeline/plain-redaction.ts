/**
 * Redacts a text that is no JSON, or only a part of it: prose with JSON in it, arguments that are still arriving. What it
 * looks like around a range decides how the range is replaced. Pure.
 */
import type { TextEdit } from '../protocol/text-edit.ts'

/** A half-open range of UTF-16 code units and the kinds of the findings in it. */
export type TextRange = Readonly<{ start: number; end: number; kinds: readonly string[] }>

/** The replacement of a text: `[REDACTED:pii.email]`, or several kinds joined by `+`. */
export function redactionMark(kinds: readonly string[]): string {
  return `[REDACTED:${kinds.join('+')}]`
}

/** How much before a range is looked at. */
const BEFORE_CHARS_MAX = 256

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const NUMBER_CHARACTER = /[-+.\deE]/

/** More digits around a range are no number: only so many are looked at for each. */
const NUMBER_CHARS_MAX = 400

/** What stands before a number of a JSON object, or of a list in one; the group is how its quotes are escaped. */
const BEFORE_MEMBER = /(\\*)"\s*:\s*$/
const BEFORE_ITEM = /(\\*)"\s*:\s*\[\s*(?:(?:\\*"[^"\\]*\\*"|[-+.\deE]+|true|false|null)\s*,\s*)*$/
const AFTER_VALUE = /^\s{0,16}(?:[,}\]]|$)/

/**
 * Returns an edit for each range. What stands before `from` has left already, and is not changed any more. A range never
 * parts an escape from its backslash, and what replaces a number of JSON is a string.
 */
export function plainEdits(text: string, ranges: readonly TextRange[], from = 0): readonly TextEdit[] {
  let free = from
  return ranges.map((range) => {
    const edit = numberEdit(text, range, free) ?? textEdit(text, range, free)
    free = edit.end
    return edit
  })
}

function textEdit(text: string, { start, end, kinds }: TextRange, free: number): TextEdit {
  const isParting = backslashesBefore(text, start) % 2 === 1
  // The backslash goes too; when it has left, what it escapes has to follow.
  const inner = isParting ? (start > free ? start - 1 : Math.min(start + 1, end - 1)) : start
  const outer = end - 1 > inner && backslashesBefore(text, end) % 2 === 1 ? end - 1 : end
  return { start: inner, end: outer, text: redactionMark(kinds) }
}

function backslashesBefore(text: string, at: number): number {
  let start = at
  while (start > 0 && text.charAt(start - 1) === '\\') start--
  return at - start
}

/** The edit of a range that is a number of JSON; undefined when it is none. */
function numberEdit(text: string, range: TextRange, free: number): TextEdit | undefined {
  let { start, end } = range
  const [least, most] = [Math.max(free, start - NUMBER_CHARS_MAX), Math.min(text.length, end + NUMBER_CHARS_MAX)]
  while (start > least && NUMBER_CHARACTER.test(text.charAt(start - 1))) start--
  while (end < most && NUMBER_CHARACTER.test(text.charAt(end))) end++
  if (!NUMBER.test(text.slice(start, end)) || !AFTER_VALUE.test(text.slice(end, end + 17))) return undefined
  const before = text.slice(Math.max(0, start - BEFORE_CHARS_MAX), start)
  const found = BEFORE_MEMBER.exec(before) ?? BEFORE_ITEM.exec(before)
  if (!found) return undefined
  const quote = `${found[1]}"`
  return { start, end, text: quote + redactionMark(range.kinds) + quote }
}
