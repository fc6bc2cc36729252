/**
 * Text, or compressed text, that is written as the numbers of its bytes: hexadecimal, decimal or octal, with something in between;
 * or as their bits, seven or eight a character.
 */

import type { EncodedRun } from './decoded-bytes.ts'
import { textOf, type UnpackBudget } from './packed-bytes.ts'

/** Between two numbers: blanks, commas, quotes, and what calls of `chr` put there. */
const GAP = '(?:[\\s,;:|._/"\'\\[\\]-]{1,6}|["\')\\]\\s]{0,3}[+.&,]\\s{0,2}(?:[Cc]hr|CHR)\\(["\']?)'

/** A byte in decimal digits, and in octal ones. */
const DECIMAL = '0?(?:25[0-5]|2[0-4]\\d|1\\d\\d|\\d{1,2})(?!\\d)'
const OCTAL = '0?(?:[1-3][0-7]{2}|0?[1-7][0-7])(?!\\d)'
const HEXADECIMAL = '[0-9a-fA-F]{2}'

/** How lists are written: base, all of a list, and one number in it. Text has sixteen, or six groups of hexadecimal ones. */
const LISTS: readonly (readonly [base: number, expression: RegExp, code: RegExp])[] = [
  list(16, '(?:0x|0X|\\\\x|x|&[hH]|\\$|#|[uU]\\+00)?', `(?:${HEXADECIMAL}){1,8}[uUhH]?`, '[0-9a-fA-F]', 5),
  list(16, '', `(?:${HEXADECIMAL}){8,32}`, '[0-9a-fA-F]', 1),
  list(10, '(?:"\\d{1,6}":\\s{0,2})?', DECIMAL, '\\d', 15),
  list(8, '(?:0o|\\\\)?', OCTAL, '\\d', 15),
  // What stands between is the same each time, whatever it is: `CHAR(…)+CHAR(`, `[char]`, `u00`, ` then `.
  ...[10, 8].map((base) => constantGap(base, base === 10 ? DECIMAL : OCTAL, '(\\D{1,24})', '\\d', 15)),
  constantGap(16, HEXADECIMAL, '([^\\n]{1,8}?)', '[0-9a-fA-F]', 11),
  [10, /(?<!\d)(?:0[1-9]\d|1[01]\d|12[0-6]){16,}(?!\d)/g, /(\d{3})/g],
]

function list(base: number, before: string, code: string, digit: string, least: number): (typeof LISTS)[number] {
  const expression = `(?<!${digit}|[A-Za-z])${before}${code}(?:${GAP}${before}${code}(?!${digit})){${least},}`
  return [base, new RegExp(expression, 'g'), new RegExp(`${before}(${code})`, 'g')]
}

function constantGap(base: number, code: string, gap: string, digit: string, least: number): (typeof LISTS)[number] {
  const before = base === 16 ? '' : `(?<!${digit})`
  const expression = `${before}${code}${gap}${code}(?:(?:\\1)${code}){${least},}`
  return [base, new RegExp(expression, 'g'), new RegExp(`(${code})`, 'g')]
}

/** In a list two digits are never farther apart, and there are so many. */
const DIGIT_GAP_MAX = 28
const DIGITS_MIN = 16

/** All digits that are so near each other. An expression passes over what has no digits faster than a loop does. */
const NEAR_DIGITS = new RegExp(`\\d(?:\\D{0,${DIGIT_GAP_MAX - 1}}\\d){${DIGITS_MIN - 1},}`, 'g')

/** What may belong to a list before its first digit, or behind its last one. */
const BESIDE_CHARS = 40

/** Half-open ranges of a text, in order. */
export type DigitRanges = readonly (readonly [start: number, end: number])[]

/** Returns the ranges of a text that have as many digits near each other as a list has, with what is beside them. */
export function digitRanges(text: string): DigitRanges {
  const ranges: [start: number, end: number][] = []
  NEAR_DIGITS.lastIndex = 0
  for (let match = NEAR_DIGITS.exec(text); match !== null; match = NEAR_DIGITS.exec(text)) {
    const start = Math.max(0, match.index - BESIDE_CHARS)
    const end = Math.min(text.length, NEAR_DIGITS.lastIndex + BESIDE_CHARS)
    const before = ranges.at(-1)
    if (before === undefined || before[1] < start) ranges.push([start, end])
    else before[1] = end
  }
  return ranges
}

/** Returns the lists of a text, by their bases. Most texts have few places (`digits`) where one may be. */
export function codeListRuns(
  text: string,
  budget: UnpackBudget,
  digits: DigitRanges = digitRanges(text),
): readonly EncodedRun[] {
  const runs: EncodedRun[] = []
  for (const [from, to] of digits) {
    const range = text.slice(from, to)
    for (const [base, expression, code] of LISTS) {
      expression.lastIndex = 0
      for (let match = expression.exec(range); match !== null; match = expression.exec(range)) {
        const { 0: found, 1: gap, index } = match
        // A gap that is the same each time may have digits in it.
        const numbers = gap === undefined ? found : found.replaceAll(gap, ' ')
        const decoded = textOf(bytesOf(numbers, base, code), budget)
        if (decoded === undefined) continue
        runs.push({ start: from + index, end: from + index + found.length, text: decoded })
      }
    }
  }
  return runs
}

/** The bytes of a list; hexadecimal digits are pairs, of which several may stand together. */
function bytesOf(numbers: string, base: number, code: RegExp): Buffer {
  const bytes = Buffer.alloc(numbers.length)
  let count = 0
  code.lastIndex = 0
  for (let match = code.exec(numbers); match !== null; match = code.exec(numbers)) {
    const [, digits = ''] = match
    const width = base === 16 ? 2 : digits.length
    for (let at = 0; at + width <= digits.length; at += width)
      bytes[count++] = Number.parseInt(width === digits.length ? digits : digits.slice(at, at + width), base)
  }
  return bytes.subarray(0, count)
}

/** Bits of eight characters and more. Each bit, and each gap, can be read in one way. */
const BITS = /(?<![0-9A-Za-z])(?:0b)?[01](?:[01]|[\s,;|_.:'"-]{1,4}(?:0b)?(?=[01])){55,}(?![0-9A-Za-z])/g

/** Returns the runs that decode to text, in order; they have many digits (`digits`) near each other. */
export function bitRuns(
  text: string,
  budget: UnpackBudget,
  digits: DigitRanges = digitRanges(text),
): readonly EncodedRun[] {
  if (digits.length === 0 || (!text.includes('00') && !text.includes('11'))) return []
  return [...text.matchAll(BITS)].flatMap(({ 0: found, index }) => {
    const decoded = bitText(found, budget)
    return decoded === undefined ? [] : [{ start: index, end: index + found.length, text: decoded }]
  })
}

function bitText(found: string, budget: UnpackBudget): string | undefined {
  const groups = found.replaceAll('0b', '').match(/[01]+/g) ?? []
  const bits = groups.join('')
  const isSeven = groups.length > 1 ? groups.every(({ length }) => length === 7) : bits.length % 8 !== 0
  return textOf(bytesOfBits(bits, isSeven ? 7 : 8), budget)
}

function bytesOfBits(bits: string, width: number): Buffer {
  const bytes = Buffer.alloc(Math.floor(bits.length / width))
  for (let at = 0; at < bytes.length * width; at++) {
    const byte = Math.floor(at / width)
    bytes[byte] = ((bytes[byte] as number) << 1) | (bits.charCodeAt(at) & 1)
  }
  return bytes
}
