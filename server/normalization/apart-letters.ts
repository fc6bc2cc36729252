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

/** Such a row has letters, unlike an indentation. */
const LETTERS_MIN = 3

function isAlphanumericAt(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  const lower = code | 32
  return (code >= 48 && code <= 57) || (lower >= 97 && lower <= 122)
}

/** Whether there is such a row. */
export function mayBeApart(text: string): boolean {
  return nextRow(text, 0) !== undefined
}

/**
 * Returns the next row, with the two letters before and behind it; undefined when there is none. Of ordinary text a tenth
 * is looked at.
 */
function nextRow(text: string, from: number): readonly [start: number, end: number] | undefined {
  for (let start = from; start + WINDOW_CHARS <= text.length; ) {
    let at = start + WINDOW_CHARS - 2
    while (at >= start && !isPairAt(text, at)) at--
    if (at >= start) start = at + 1
    else if (hasLetters(text, start)) {
      let [first, last] = [start, start + WINDOW_CHARS - 1]
      while (first > from && !isPairAt(text, first - 1)) first--
      while (last < text.length && !isPairAt(text, last)) last++
      return [Math.max(0, first - 1), Math.min(text.length, last + 2)]
    } else start += LETTERS_MIN
  }
  return undefined
}

/** Whether two letters or digits stand beside each other. */
function isPairAt(text: string, index: number): boolean {
  return isAlphanumericAt(text, index) && isAlphanumericAt(text, index + 1)
}

function hasLetters(text: string, from: number): boolean {
  let count = 0
  for (let at = from; at < from + WINDOW_CHARS; at++) if (isAlphanumericAt(text, at)) count++
  return count >= LETTERS_MIN
}

/** One character between two tags. */
const BETWEEN_TAGS = />[^<>\s]</

/** Returns the rows of such characters, put together. */
export function apartRuns(text: string): readonly EncodedRun[] {
  if (BETWEEN_TAGS.test(text)) return runsIn(text, 0, text.length)
  const runs: EncodedRun[] = []
  for (let row = nextRow(text, 0); row !== undefined; row = nextRow(text, row[1] - 1))
    runs.push(...runsIn(text, ...row))
  return runs
}

function runsIn(text: string, from: number, to: number): readonly EncodedRun[] {
  return [...text.slice(from, to).matchAll(APART)].flatMap(({ 0: found, 1: gap = '', index }) => {
    const characters: string[] = []
    for (let at = 0; at < found.length; at += 1 + gap.length) characters.push(found.charAt(at))
    const together = characters.join('')
    const start = from + index
    return HAS_LETTERS.test(together) ? [{ start, end: start + found.length, text: together }] : []
  })
}

/** A rule of dashes is put together of dashes. */
const HAS_LETTERS = /[A-Za-z0-9][\s\S]*[A-Za-z0-9]/
