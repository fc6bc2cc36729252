/**
 * Normalizes a text to what its reader sees: escapes resolved, invisible characters removed, letters and digits in other
 * forms and look-alikes replaced by ASCII. The result maps back to the original, so that findings can point at it.
 */

import { EditableText, type EditedText } from './edited-text.ts'
import { ESCAPE_CHARS_MAX, ESCAPE_SOURCES, PARTIAL_ESCAPE, unescaped } from './escape.ts'
import { asciiOf, CHARACTER, type CharacterClass, classOf, classOfUnit } from './letter-form.ts'

/** Colours and moves of a terminal, and what begins them. */
const TERMINAL = '((?:\\x1b\\[|\\x9b)[0-9;:?]{0,16}[@-~]|[\\x1b\\x9b])'
const PARTIAL_TERMINAL = /(?:\x1b\[?|\x9b)[0-9;:?]{0,16}$/

const ESCAPES = new RegExp(ESCAPE_SOURCES.join('|'), 'g')
/** The same, and groups for what a terminal reads, and for everything that is not ASCII text. */
const ESCAPES_AND_FORMS = new RegExp(
  [...ESCAPE_SOURCES, TERMINAL, '([^\\t\\n\\r\\x1b\\x9b\\x20-\\x7e]+)'].join('|'),
  'g',
)
/** Nearly all texts are ASCII, or nearly. */
const BEYOND_ASCII = /[^\t\n\r\x20-\x7e]+/g
const ANY_BEYOND_ASCII = /[^\t\n\r\x20-\x7e]/

/** Whether a text has nothing but printable ASCII and blanks: then it has no other forms, no marks and no control characters. */
export function isPlainAscii(text: string): boolean {
  return !ANY_BEYOND_ASCII.test(text)
}

/** As many look-alikes in a row may be in a word with one Latin letter, and as many marks on one. */
const ALIKE_CHARS_MAX = 8

/** Unchanged text farther than this from a change is omitted: no match that the change reveals reaches it. */
const CONTEXT_CHARS = 300

/**
 * Returns the normalized text, or undefined when nothing changes; ranges far from any change are omitted. One pass:
 * an escape within an escape needs another. The result at an index depends on the 32 characters around it. `isAscii` is what
 * isPlainAscii says of the text, where that is known.
 */
export function normalize(text: string, isAscii: boolean = isPlainAscii(text)): EditedText | undefined {
  const expression = !isAscii && hasForm(text) ? ESCAPES_AND_FORMS : ESCAPES
  expression.lastIndex = 0
  let match = expression.exec(text)
  // Nearly all texts have nothing to replace.
  if (match === null) return undefined
  const edit = new EditableText(text, CONTEXT_CHARS)
  for (; match !== null; match = expression.exec(text)) {
    const { 0: matched, 1: percent, 2: backslash, 3: entity, 4: quoted, 5: terminal, 6: beyond, index } = match
    const end = index + matched.length
    if (beyond !== undefined) {
      // A look-alike counts beside ASCII, and all of that is outside.
      const isBeside = isAlphanumeric(text, index - 1) || isAlphanumeric(text, end)
      const isAlike = !isBeside && isAlikeWord(text, index, end)
      replaceForms(edit, text, index, end, isBeside ? isReplaced : isAlike ? isReplacedInWord : isReplacedAnywhere)
    } else {
      const replacement = terminal === undefined ? unescaped(percent, backslash, entity, quoted) : ''
      if (replacement !== undefined) edit.replace(index, end, replacement)
    }
  }
  return edit.finish()
}

/** Whether a text has characters that may be replaced besides escapes. */
function hasForm(text: string): boolean {
  // Not matchAll, which copies the expression for each text.
  BEYOND_ASCII.lastIndex = 0
  for (let match = BEYOND_ASCII.exec(text); match !== null; match = BEYOND_ASCII.exec(text)) {
    const [run] = match
    for (let index = 0; index < run.length; index++) {
      const unit = run.charCodeAt(index)
      const characterClass = classOfUnit(unit)
      const isHalf = (unit & 0xfc00) === 0xd800
      if (isHalf || (characterClass !== CHARACTER.plain && characterClass !== CHARACTER.composed)) return true
    }
  }
  return false
}

const COMPOSED_RUN = /[\u00c0-\u1eff]+/g
const COMPOSED = /[\u00c0-\u024f\u1e00-\u1eff]/

/**
 * Returns the text with plain letters in place of Latin ones with marks; undefined when there are none. The result at an
 * index depends on that character alone.
 */
export function withoutMarks(text: string): EditedText | undefined {
  if (!COMPOSED.test(text)) return undefined
  const edit = new EditableText(text, CONTEXT_CHARS)
  for (const { 0: run, index } of text.matchAll(COMPOSED_RUN)) {
    replaceForms(edit, text, index, index + run.length, (_, characterClass) => characterClass === CHARACTER.composed)
  }
  return edit.finish()
}

/** Whether a character of a class is replaced where it stands, from `start` to `end`. */
type IsReplaced = (text: string, characterClass: CharacterClass, start: number, end: number) => boolean

/** Replaces characters of a range by what they stand for; invisible ones in a row by nothing at once. */
function replaceForms(edit: EditableText, text: string, from: number, to: number, isReplaced: IsReplaced): void {
  let unseenFrom = -1
  for (let at = from; at < to; ) {
    const unit = text.charCodeAt(at)
    const code = (unit & 0xf800) === 0xd800 ? (text.codePointAt(at) as number) : unit
    const next = at + (code > 0xffff ? 2 : 1)
    const characterClass = classOf(code)
    const isUnseen = characterClass === CHARACTER.invisible || characterClass === CHARACTER.mark
    const isHere = characterClass !== CHARACTER.plain && isReplaced(text, characterClass, at, next)
    if (unseenFrom >= 0 && !(isHere && isUnseen)) {
      edit.replace(unseenFrom, at, '')
      unseenFrom = -1
    }
    if (isHere && !isUnseen) edit.replace(at, next, asciiOf(code))
    else if (isHere && unseenFrom < 0) unseenFrom = at
    at = next
  }
  if (unseenFrom >= 0) edit.replace(unseenFrom, to, '')
}

const isReplacedAnywhere: IsReplaced = (_, characterClass) =>
  characterClass === CHARACTER.form || characterClass === CHARACTER.invisible

const isReplacedInWord: IsReplaced = (text, characterClass, start, end) =>
  characterClass === CHARACTER.alike || isReplacedAnywhere(text, characterClass, start, end)

/** No longer word is read as one of look-alikes alone. */
const ALIKE_WORD_MAX = 16

/** Whether a word has nothing but look-alikes, of two scripts, or with a Latin word beside it. */
function isAlikeWord(text: string, start: number, end: number): boolean {
  if (end - start > ALIKE_WORD_MAX || end - start < 2) return false
  let isMixed = false
  for (let index = start; index < end; index++) {
    if (classOfUnit(text.charCodeAt(index)) !== CHARACTER.alike) return false
    isMixed ||= scriptAt(text, index) !== scriptAt(text, start)
  }
  return isMixed || isLatinWord(text, start - 1, start - 2) || isLatinWord(text, end, end + 1)
}

/** Greek is below this, and Armenian from the next on; between them is Cyrillic. */
const SCRIPT_STARTS = [0x400, 0x530, 0x590]

function scriptAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return SCRIPT_STARTS.findIndex((start) => code < start)
}

/** Whether a blank stands at an index, and a Latin letter beyond it. */
function isLatinWord(text: string, blank: number, letter: number): boolean {
  return text.charCodeAt(blank) === 32 && isAlphanumeric(text, letter)
}

const isReplaced: IsReplaced = (text, characterClass, start, end) => {
  switch (characterClass) {
    case CHARACTER.form:
    case CHARACTER.invisible:
      return true
    case CHARACTER.mark:
      return isAlphanumeric(text, firstBefore(text, start, CHARACTER.mark))
    case CHARACTER.alike:
      return (
        isAlphanumeric(text, firstBefore(text, start, CHARACTER.alike)) ||
        isAlphanumeric(text, firstAfter(text, end, CHARACTER.alike))
      )
    case CHARACTER.sign:
      return isAlphanumeric(text, start - 1) && isAlphanumeric(text, end)
    default:
      return false
  }
}

/** The index of the next character that is of another class, at most eight before. */
function firstBefore(text: string, start: number, characterClass: CharacterClass): number {
  let index = start - 1
  while (index >= 0 && start - index < ALIKE_CHARS_MAX && classOfUnit(text.charCodeAt(index)) === characterClass)
    index--
  return index
}

function firstAfter(text: string, end: number, characterClass: CharacterClass): number {
  let index = end
  while (index - end < ALIKE_CHARS_MAX - 1 && classOfUnit(text.charCodeAt(index)) === characterClass) index++
  return index
}

/** Whether an ASCII letter or digit stands at an index. */
function isAlphanumeric(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  const lower = code | 32
  return (code >= 48 && code <= 57) || (lower >= 97 && lower <= 122)
}

/** Index up to which the normalized form no longer changes when more text follows; at most the text's length. */
export function stableTo(text: string): number {
  const tail = text.slice(-ESCAPE_CHARS_MAX)
  const partial = [PARTIAL_ESCAPE, PARTIAL_TERMINAL].map((end) => end.exec(tail)?.index ?? tail.length)
  let stable = text.length - tail.length + Math.min(unstableFrom(tail), ...partial)
  if (stable === text.length || !'%\\&'.includes(text.charAt(stable))) return stable
  while (text[stable - 1] === '\\') stable--
  while (/^%[0-9a-fA-F]{2}$/.test(text.slice(Math.max(0, stable - 3), stable))) stable -= 3
  return stable
}

/** Where characters begin that more text may turn into look-alikes or signs; half of a pair. */
function unstableFrom(text: string): number {
  const end = text.length
  if ((text.charCodeAt(end - 1) & 0xfc00) === 0xd800) return end - 1
  if (classOfUnit(text.charCodeAt(end - 1)) === CHARACTER.sign) return end - 1
  // A word of look-alikes waits for the word behind it.
  const wordEnd = text.charCodeAt(end - 1) === 32 ? end - 1 : end
  let from = wordEnd
  while (wordEnd - from < ALIKE_WORD_MAX && classOfUnit(text.charCodeAt(from - 1)) === CHARACTER.alike) from--
  return from === wordEnd ? end : from
}
