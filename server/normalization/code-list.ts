/** Text that is written as the numbers of its characters: hexadecimal, decimal or octal, with something in between. */

import type { EncodedRun } from './decoded-bytes.ts'
import { printableText } from './decoded-bytes.ts'

/** Between two numbers: blanks, commas, quotes, and what calls of `chr` put there. */
const GAP = '(?:[\\s,;:|._"\'\\[\\]-]{1,6}|["\')\\]\\s]{0,3}[+.&,]\\s{0,2}(?:[Cc]hr|CHR)\\(["\']?)'

/** Codes of printable ASCII and line breaks by base: what may stand before each, and the codes. */
const LISTS: readonly (readonly [base: number, expression: RegExp, code: RegExp])[] = [
  list(
    16,
    '(?:0x|0X|\\\\x|x|&[hH]|\\$|#|[uU]\\+00)?',
    '(?:(?:0[9aAdD]|[2-6][0-9a-fA-F]|7[0-9a-eA-E]){1,8})',
    '[0-9a-fA-F]',
  ),
  list(10, '', '0?(?:1[01]\\d|12[0-6]|3[2-9]|[4-9]\\d|10|13|9)(?!\\d)', '\\d'),
  list(8, '(?:0o|\\\\)?', '0?(?:1[0-7]{2}|0?[4-7][0-7]|01[125])(?!\\d)', '\\d'),
]

function list(base: number, before: string, code: string, digit: string): readonly [number, RegExp, RegExp] {
  const least = base === 16 ? 5 : 15
  const expression = `(?<!${digit}|[A-Za-z])${before}${code}(?:${GAP}${before}${code}(?!${digit})){${least},}`
  return [base, new RegExp(expression, 'g'), new RegExp(`${before}(${code})`, 'g')]
}

const DIGIT = /[0-9]/g

/** In a list two digits are never farther apart, and there are so many. Most texts have few. */
const DIGIT_GAP_MAX = 12
const DIGITS_MIN = 16

function mayHaveList(text: string): boolean {
  let count = 0
  let last = 0
  DIGIT.lastIndex = 0
  while (DIGIT.test(text)) {
    const at = DIGIT.lastIndex
    count = at - last <= DIGIT_GAP_MAX ? count + 1 : 1
    if (count >= DIGITS_MIN) return true
    last = at
  }
  return false
}

/** Returns the lists of a text, by their bases. */
export function codeListRuns(text: string): readonly EncodedRun[] {
  if (!mayHaveList(text)) return []
  return LISTS.flatMap(([base, expression, code]) =>
    [...text.matchAll(expression)].flatMap(({ 0: found, index }) => {
      const codes = [...found.matchAll(code)].flatMap(([, digits = '']) => (base === 16 ? pairs(digits) : [digits]))
      const decoded = printableText(Buffer.from(codes.map((digits) => Number.parseInt(digits, base))))
      return decoded === undefined ? [] : [{ start: index, end: index + found.length, text: decoded }]
    }),
  )
}

function pairs(digits: string): readonly string[] {
  return digits.match(/../g) ?? []
}
