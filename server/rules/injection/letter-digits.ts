/** Words with digits and signs in place of letters (`1gn0r3`, `p@$$w0rd`): with letters again. */
import { EditableText, type EditedText } from '../../normalization/edited-text.ts'

const LETTERS: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  8: 'b',
  9: 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'l',
}

const WORD_CHARS_MAX = 24
const WORD = /(?<![\w@$!|])[A-Za-z01345789@$!|]{3,24}(?![\w@$])/y
const WORD_CHARACTER = /[A-Za-z01345789@$!|]/
/** What makes such a word: a digit or sign before a letter, and a letter that is no hexadecimal digit. */
const IN_PLACE = /[01345789@$!|][A-Za-z]/g
const BEYOND_HEXADECIMAL = /[g-zG-Z]/
/** One of them behind a letter, or before two; an expression that begins with what is rare passes over the rest fast. */
const MAY_HAVE_WORD = /[013457@$!](?=[A-Za-z])(?:(?<=[A-Za-z].)|(?<=[^!])(?=[A-Za-z]{2}))/

const CONTEXT_CHARS = 300

/** Returns the text with letters in such words, without what is far from any; undefined when there are none. */
export function withoutDigits(text: string): EditedText | undefined {
  if (!MAY_HAVE_WORD.test(text)) return undefined
  const edit = new EditableText(text, CONTEXT_CHARS)
  // Most words have no such place: those that have are looked up from it.
  IN_PLACE.lastIndex = 0
  for (let place = IN_PLACE.exec(text); place !== null; place = IN_PLACE.exec(text)) {
    const start = wordStart(text, place.index)
    WORD.lastIndex = start
    const word = WORD.exec(text)?.[0] ?? ''
    if (start + word.length <= place.index + 1) continue
    IN_PLACE.lastIndex = start + word.length
    if (!BEYOND_HEXADECIMAL.test(word)) continue
    const sign = /[.!|]+$/.exec(word)?.[0] ?? ''
    const letters = word.slice(0, word.length - sign.length).replaceAll('11', 'll')
    edit.replace(start, start + word.length, letters.replace(/[^A-Za-z]/g, (each) => LETTERS[each] ?? each) + sign)
  }
  return edit.finish()
}

/** Where the characters of a word begin that reach an index; of too long a word some of them. */
function wordStart(text: string, index: number): number {
  let start = index
  while (start > 0 && index - start < WORD_CHARS_MAX && WORD_CHARACTER.test(text.charAt(start - 1))) start--
  return start
}
