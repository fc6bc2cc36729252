/**
 * Telephone numbers. Numbers with a country code or in a national notation count by themselves; plain groups of
 * digits only next to a word about telephones.
 */

import type { PendingFrom } from '../../core/step.ts'
import { digitsEnd, isDigitCode, nextDigit } from '../../detection/digit.ts'
import { type PartialPattern, pendingAt, withPartial } from '../../detection/partial-match.ts'
import { type Detector, type Match, matchAt, type Pattern } from '../../detection/pattern.ts'
import { lastRunStart } from '../../detection/pending-match.ts'

const EXTENSION = '(?:(?: ?(?:x|ext\\.?|#) ?)\\d{1,6})?'
const LEFT = '(?<![\\w.:/+-])(?<!\\d[ ),])'
const RIGHT = '(?![\\w/])(?![.,:]\\d)(?!-\\d)'

/** Digits in groups, some in parentheses. The end of a group is unambiguous, so there is no backtracking. */
const GROUPS = '(?:(?<=\\()\\d{1,6}\\)|\\d{1,15})(?:(?:[ .\\-/]{1,2}|(?<=\\)))(?:\\(\\d{1,6}\\)|\\d{1,15})){0,6}'

/** Words in front of a number, as whole words. */
const BEFORE =
  '\\b(?:phone|telephone|tel|mobile|cell|fax|call|dial|reach|whatsapp|sms|text|hotline|ring|answering|telefoon|telefon|handy|mobiel|gsm|bel|t[ée]l[ée]phone|tel[ée]fono|m[óo]vil|portable)\\b[^\\n\\d]{0,24}'
const AFTER = '(?=[ \\-–(,]{1,3}(?:office|fax|mobile|cell|home|work|phone)\\b)'

/** Formats that count by themselves. Each group of a format is bounded and unambiguous. */
const FORMS: readonly (readonly [confidence: number, source: string])[] = [
  // +31 6 12345678, 001-748-088-2851x818
  [0.85, `(?<=(?<![\\w+])(\\+\\(?))(${GROUPS}${EXTENSION})${RIGHT}`],
  [0.8, `${LEFT}(00(?=[1-9])${GROUPS}${EXTENSION})${RIGHT}`],
  // (212) 555-0123, (022) 0793-176, (03) 5327 5996
  [0.75, `(?<=(?<![\\w)])(\\())(\\d{2,4}\\) ?\\d{3,4}[ .-]?\\d{3,4}${EXTENSION})${RIGHT}`],
  // 212-555-0123, 833.719.3994x1887
  [0.75, `${LEFT}([2-9]\\d{2}[.-]\\d{3}[.-]\\d{4}${EXTENSION})${RIGHT}`],
  [0.7, `${LEFT}(\\d{3}[.-]\\d{3}[.-]\\d{4}x\\d{1,6})${RIGHT}`],
  // 06-10446904, 0348 2102744, 02.27.96.63.08, 0650 995 04 94
  [
    0.7,
    `${LEFT}(0[1-9]\\d{0,3}(?:[ -]\\d{6,8}|(?:[ -]\\d{2,4}){2,4}|(?:\\.\\d{2}){4}|/\\d{2,3}(?:[ .]\\d{2,3}){1,3}))${RIGHT}`,
  ],
]

/** Any grouping, next to a word. */
const WITH_WORD: readonly string[] = [
  `(?<=${BEFORE}\\(?)(${GROUPS}${EXTENSION})${RIGHT}`,
  `${LEFT}(${GROUPS}${EXTENSION})${AFTER}`,
]

function phone(confidence: number, source: string): Pattern {
  return {
    kind: 'pii.phone',
    severity: 'medium',
    confidence,
    keywords: [],
    pattern: new RegExp(source, 'diy'),
    score: (value) => (isDialable(value) ? confidence : undefined),
  }
}

/** All formats; the first one that matches at an index counts. */
export const PHONE_PATTERNS: readonly Pattern[] = [
  ...FORMS.map(([confidence, source]) => phone(confidence, source)),
  ...WITH_WORD.map((source) => phone(0.65, source)),
]

/** Seven to fifteen digits (ITU-T E.164, and local numbers), no date, no year range, no long zero run. */
function isDialable(value: string): boolean {
  const digits = value.replace(/\s?(?:x|ext).*$/i, '').replace(/\D/g, '')
  // An international number has at least eight digits after the 00.
  if (digits.length < (digits.startsWith('00') ? 10 : 7) || digits.length > 15 || /^(\d)\1*$|0{5}/.test(digits))
    return false
  return !/^(?:\d+\.\d{1,2}|\d{4}(?: 0\d{3})+|(?:19|20)\d\d[-./ ](?:0?[1-9]|1[0-2])[-./ ]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)?\d\d|(?:19|20)\d\d ?[-–] ?(?:19|20)\d\d)$/.test(
    value,
  )
}

/** Finds telephone numbers, each at its first digit. */
export const phoneDetector: Detector = (text) => {
  const matches: Match[] = []
  for (let at = nextDigit(text, 0); at >= 0; at = nextDigit(text, digitsEnd(text, at))) {
    if (!hasSevenDigits(text, at)) continue
    for (const pattern of PHONE_PATTERNS) {
      const match = matchAt(text, at, pattern)
      if (match === undefined) continue
      matches.push(match)
      break
    }
  }
  return matches
}

const PARTIAL_PATTERNS: readonly PartialPattern[] = PHONE_PATTERNS.map(withPartial)

/** Creates the pendingFrom function of phoneDetector. */
export function pendingFromPhones(matchCharsMax: number): PendingFrom {
  return (text, isBegun) => {
    let earliest = isBegun ? text.length : lastRunStart(text, text.length, matchCharsMax)
    const from = Math.max(0, text.length - matchCharsMax)
    for (let at = nextDigit(text, from); at >= 0; at = nextDigit(text, digitsEnd(text, at))) {
      const isStart = !isDigitCode(text.charCodeAt(at - 1))
      if (!isStart || (text.length - at >= SEVEN_DIGITS_WITHIN && !hasSevenDigits(text, at))) continue
      for (const pattern of PARTIAL_PATTERNS) earliest = Math.min(earliest, pendingAt(text, at, pattern))
    }
    return earliest
  }
}

/** Characters that hasSevenDigits reads. */
const SEVEN_DIGITS_WITHIN = 24

function hasSevenDigits(text: string, at: number): boolean {
  let digits = 0
  for (let index = at; index < at + SEVEN_DIGITS_WITHIN && index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (isDigitCode(code)) digits++
    // Blank, parentheses, plus, hyphen, full stop, slash.
    else if (code !== 32 && (code < 40 || code > 47 || code === 42 || code === 44)) return false
    if (digits === 7) return true
  }
  return false
}
