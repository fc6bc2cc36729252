/** Characters that stand apart, with the same between each two of them: blanks, signs, a tag of HTML. */

import type { EncodedRun } from './decoded-bytes.ts'

/** Ten characters and more, of which a blank may be one. */
const SIGNS = '[^A-Za-z0-9]{1,12}?'
const TAGS = '(?:<\\/?[a-z]{1,8}[^<>]{0,40}>){1,2}'
const APART = new RegExp(
  `(?<![A-Za-z0-9])[\\x21-\\x7e](${SIGNS}|${TAGS})[\\n\\x20-\\x7e](?:\\1[\\n\\x20-\\x7e]){8,}(?![A-Za-z0-9])`,
  'g',
)

/** Where characters stand apart, so many in a row have no two letters beside each other. */
const WINDOW_CHARS = 17

function isAlphanumericAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  const lower = code | 32
  return (code >= 48 && code <= 57) || (lower >= 97 && lower <= 122)
}

/** Whether there is such a row; of ordinary text a tenth is looked at. */
export function mayBeApart(text: string): boolean {
  for (let from = 0; from + WINDOW_CHARS <= text.length; ) {
    let at = from + WINDOW_CHARS - 2
    while (at >= from && !(isAlphanumericAt(text, at) && isAlphanumericAt(text, at + 1))) at--
    if (at >= from) from = at + 1
    else if (hasLetters(text, from)) return true
    else from += LETTERS_MIN
  }
  return false
}

/** Such a row has letters, unlike an indentation. */
const LETTERS_MIN = 3

function hasLetters(text: string, from: number): boolean {
  let count = 0
  for (let at = from; at < from + WINDOW_CHARS; at++) if (isAlphanumericAt(text, at)) count++
  return count >= LETTERS_MIN
}

/** Returns the rows of such characters, put together. */
export function apartRuns(text: string): readonly EncodedRun[] {
  if (!text.includes('><') && !mayBeApart(text)) return []
  return [...text.matchAll(APART)].flatMap(({ 0: found, 1: gap = '', index }) => {
    const characters: string[] = []
    for (let at = 0; at < found.length; at += 1 + gap.length) characters.push(found.charAt(at))
    const together = characters.join('')
    return HAS_LETTERS.test(together) ? [{ start: index, end: index + found.length, text: together }] : []
  })
}

/** A rule of dashes is put together of dashes. */
const HAS_LETTERS = /[A-Za-z0-9][\s\S]*[A-Za-z0-9]/
