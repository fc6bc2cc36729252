/** Text that is written backwards, or with each letter moved by thirteen: what everybody undoes at sight. */

import type { EncodedRun } from './decoded-bytes.ts'

/** Frequent words of English, and some of what is hidden. */
const WORDS = 'the all you your my of this that with from ignore previous token password secret number code key'.split(
  ' ',
)

type Cipher = Readonly<{ undo: (text: string) => string; hint: RegExp }>

const CIPHERS: readonly Cipher[] = [backwards, moved].map((undo) => ({ undo, hint: hintOf([undo]) }))

/** Of either: most texts have none, and are read once. */
const HINT = hintOf([backwards, moved])

/** From blank to blank, in small letters: most of a text is passed over, and so is DNA. */
function hintOf(undone: readonly Cipher['undo'][]): RegExp {
  return new RegExp(`\\s(?:${undone.flatMap((undo) => WORDS.map(undo)).join('|')})\\s`)
}

function backwards(text: string): string {
  return [...text].reverse().join('')
}

/** ROT13; digits stay. */
function moved(text: string): string {
  return text.replace(/[A-Za-z]/g, (letter) => {
    const code = letter.charCodeAt(0)
    return String.fromCharCode((code & 31) <= 13 ? code + 13 : code - 13)
  })
}

/** Longer texts are files. */
const TEXT_CHARS_MAX = 64 * 1024

/** Returns the text without its cipher, for each that it seems to be written in. */
export function cipherRuns(text: string): readonly EncodedRun[] {
  if (text.length > TEXT_CHARS_MAX || !HINT.test(text)) return []
  return CIPHERS.flatMap(({ undo, hint }) =>
    hint.test(text) ? [{ start: 0, end: text.length, text: undo(text) }] : [],
  )
}
