/** Identification numbers that are recognized by their format and checksum, without a label. */

import type { Severity } from '../../core/finding.ts'
import type { PendingFrom } from '../../core/step.ts'
import { digitsEnd, isDigitCode, nextDigit } from '../../detection/digit.ts'
import { type PartialPattern, pendingAt, withPartial } from '../../detection/partial-match.ts'
import { type Detector, type Match, matchAt, type Pattern } from '../../detection/pattern.ts'
import { lastRunStart } from '../../detection/pending-match.ts'
import * as checksum from './checksum.ts'

/** What separates groups of digits: space, no-break space, hyphens and dashes. */
const GAP = '[ \\u00a0\\u202f\\-\\u2010-\\u2013]'

function digitsOf(value: string): string {
  return value.replace(/[^0-9A-Za-z]/g, '')
}

/** Card numbers by issuer (ISO/IEC 7812 ranges) and the lengths that the issuer uses. */
const CARD =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}|6(?:011|4[4-9]|5|22|28)\d{10,15}|(?:50|5[6-8]|6[0379])\d{10,17}|81\d{14})$/

function isCard(value: string): boolean {
  const digits = digitsOf(value)
  return CARD.test(digits) && checksum.isLuhn(digits) && !/^(\d)\1*$/.test(digits)
}

function isDate(month: string, day: string): boolean {
  return +month >= 1 && +month <= 12 && +day >= 1 && +day <= 31
}

/** A number format, and how many digits its first group has. */
type NumberForm = Readonly<{ firstGroups: readonly number[]; pattern: Pattern }>

/** `firstGroups` is a list of lengths and ranges: '2 6' or '12-19'. */
function numberForm(
  kind: string,
  severity: Severity,
  firstGroups: string,
  source: string,
  confidence: number,
  check: (value: string) => boolean,
): NumberForm {
  return {
    firstGroups: firstGroups.split(' ').flatMap((range) => {
      const [from, to] = range.split('-').map(Number) as [number, number | undefined]
      return Array.from({ length: (to ?? from) - from + 1 }, (_, index) => from + index)
    }),
    pattern: {
      kind: `pii.${kind}`,
      severity,
      confidence,
      keywords: [],
      pattern: new RegExp(source, 'dy'),
      score: (value) => (check(value) ? confidence : undefined),
    },
  }
}

const END = '(?![\\w])(?!\\.\\d)'
const OCTET = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)'

/** Addresses that belong to no host: this host, unspecified, broadcast and masks, multicast. */
function isHostAddress(value: string): boolean {
  return !/^(?:0|127|255|22[4-9]|23\d)\.|^0+\.0+\./.test(value)
}

/** Private addresses (RFC 1918, RFC 6598); and those with 1 and 2 in front, as object identifiers begin. */
function isPrivateAddress(value: string): boolean {
  return /^(?:[12]|10)\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./.test(
    value,
  )
}

const HETU_CHECK = '0123456789ABCDEFHJKLMNPRSTUVWXY'

// biome-ignore format: a table, one form a line
const FORMS: readonly NumberForm[] = [
  numberForm('credit_card', 'high', '12-19', `(?<!\\d)(?<!\\d[.,])\\d{12,19}${END}`, 0.95, isCard),
  numberForm('credit_card', 'high', '4', `(?<!\\d)(?<!\\d${GAP})(?<![0-9A-F]{4} )(?:\\d{4}${GAP}\\d{4}${GAP}\\d{4}${GAP}\\d{4}(?:${GAP}\\d{3})?|3\\d{3}${GAP}\\d{6}${GAP}\\d{4,5})${END}(?!${GAP}[0-9A-Fa-f]{4}(?!\\w))`, 0.95, isCard),
  numberForm('credit_card', 'high', '1', `(?<!\\d)(?<!\\d${GAP})\\d(?:${GAP}\\d){12,18}(?!${GAP}?\\d)`, 0.9, isCard),
  numberForm('ssn', 'high', '3', `(?<![\\w-])(?<!\\d[.,])\\d{3}-\\d{2}-\\d{4}(?![\\w-])`, 0.9, (value) => checksum.isSsn(digitsOf(value))),
  numberForm('ip_address', 'low', '1-3', `(?<![\\w.-])(?<!(?:version|ver|release|section) )${OCTET}(?:\\.${OCTET}){3}(?![\\w-])(?!\\.\\d)`, 0.8, (value) => isHostAddress(value) && !isPrivateAddress(value)),
  numberForm('ip_address', 'low', '1-3', `(?<![\\w.-])(?<!(?:version|ver|release|section) )${OCTET}(?:\\.${OCTET}){3}(?![\\w-])(?!\\.\\d)`, 0.5, isPrivateAddress),
  numberForm('national_id', 'high', '2', '(?<![\\w.])\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}(?![\\w.]\\d)', 0.95, (value) => checksum.isBelgianRegisterNumber(digitsOf(value))),
  numberForm('national_id', 'high', '1 3 15', `(?<!\\w)[12] ?\\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\\d|[5-9]\\d) ?(?:\\d{2}|2[ABab]) ?\\d{3} ?\\d{3} ?\\d{2}${END}`, 0.9, (value) => checksum.isNir(digitsOf(value))),
  numberForm('national_id', 'high', '3', '(?<![\\w.])\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}(?!\\w)', 0.95, (value) => checksum.isCpf(digitsOf(value))),
  numberForm('national_id', 'high', '8', '(?<![\\w-])\\d{8}-?[A-HJ-NP-TV-Z](?![\\w-])', 0.6, (value) => checksum.isDni(digitsOf(value))),
  numberForm('national_id', 'high', '7', '(?<=(?<!\\w)([XYZ]))(-?\\d{7}-?[A-HJ-NP-TV-Z])(?![\\w-])', 0.8, (value) => checksum.isDni(digitsOf(value))),
  numberForm('national_id', 'high', '2 6', '(?<=(?<!\\w)([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?))(\\d{2} ?\\d{2} ?\\d{2} ?[A-D])(?!\\w)', 0.8, (value) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(value)),
  numberForm('national_id', 'high', '2', '(?<=(?<!\\w)([A-Za-z]{6}))(\\d{2}[A-EHLMPR-Ta-ehlmpr-t]\\d{2}[A-Za-z]\\d{3}[A-Za-z])(?!\\w)', 0.9, () => true),
  numberForm('national_id', 'high', '6 8', '(?<![\\w-])(?:19|20)?\\d{6}[-+]\\d{4}(?![\\w-])', 0.7, (value) => checksum.isLuhn(digitsOf(value).slice(-10)) && isDate(digitsOf(value).slice(-8, -6), digitsOf(value).slice(-6, -4))),
  numberForm('national_id', 'high', '6', '(?<![\\w-])\\d{6}[-+A]\\d{3}[0-9A-FHJ-NPR-Y](?![\\w-])', 0.85, (value) => isDate(value.slice(2, 4), value.slice(0, 2)) && HETU_CHECK[Number(value.slice(0, 6) + value.slice(7, 10)) % 31] === value[10]),
  numberForm('crypto_wallet', 'low', '1', '(?<!\\w)0x[0-9a-fA-F]{40}(?!\\w)', 0.6, () => true),
]

/** All formats, regardless of their first group. */
export const NUMBER_PATTERNS: readonly Pattern[] = FORMS.map(({ pattern }) => pattern)

/** The longest first group of any format. */
const GROUP_MAX = 19

/** The patterns to try for a number whose first group has this many digits. */
export const NUMBER_PATTERNS_BY_GROUP: readonly (readonly Pattern[])[] = Array.from(
  { length: GROUP_MAX + 1 },
  (_, length) => FORMS.filter(({ firstGroups }) => firstGroups.includes(length)).map(({ pattern }) => pattern),
)

/** Finds all of them in one pass over the digits of a text. */
export const numberDetector: Detector = (text) => {
  const matches: Match[] = []
  for (let at = nextDigit(text, 0), end = 0; at >= 0; at = nextDigit(text, end)) {
    end = digitsEnd(text, at)
    if (!hasFourDigits(text, at)) continue
    for (const pattern of NUMBER_PATTERNS_BY_GROUP[end - at] ?? []) {
      const match = matchAt(text, at, pattern)
      if (match !== undefined) matches.push(match)
    }
    const iban = ibanAt(text, at)
    if (iban !== undefined) matches.push(iban)
  }
  return matches
}

/** What precedes the last run of a text: two letters, and a blank, in front of a British number. */
const LETTERS_BEFORE = /[A-Z]{2} $/

const PARTIAL_PATTERNS: readonly PartialPattern[] = NUMBER_PATTERNS.map(withPartial)
const PARTIAL_PATTERNS_BY_GROUP = NUMBER_PATTERNS_BY_GROUP.map((patterns) =>
  PARTIAL_PATTERNS.filter(({ pattern }) => patterns.includes(pattern)),
)

/** Creates the pendingFrom function of numberDetector. */
export function pendingFromNumbers(matchCharsMax: number): PendingFrom {
  return (text, isBegun) => {
    let earliest = isBegun ? text.length : lastRunStart(text, text.length, matchCharsMax)
    if (!isBegun && LETTERS_BEFORE.test(text.slice(-3))) earliest = Math.min(earliest, text.length - 3)
    for (
      let at = nextDigit(text, Math.max(0, text.length - matchCharsMax)), end = 0;
      at >= 0;
      at = nextDigit(text, end)
    ) {
      end = digitsEnd(text, at)
      const isStart = !isDigitCode(text.charCodeAt(at - 1))
      if (!isStart || (text.length - at >= FOUR_DIGITS_WITHIN && !hasFourDigits(text, at))) continue
      // A first group at the end of the text has no length yet.
      const patterns = end === text.length ? PARTIAL_PATTERNS : (PARTIAL_PATTERNS_BY_GROUP[end - at] ?? [])
      for (const pattern of patterns) earliest = Math.min(earliest, pendingAt(text, at, pattern))
      if (isIbanPending(text, at)) earliest = Math.min(earliest, at - 2)
    }
    return earliest
  }
}

/** Characters that hasFourDigits reads. */
const FOUR_DIGITS_WITHIN = 12

/**
 * The format with the fewest digits, an IPv4 address, has four of them in a row with its dots; a comma, line end or
 * colon ends any.
 */
function hasFourDigits(text: string, at: number): boolean {
  let digits = 0
  for (let index = at; index < at + FOUR_DIGITS_WITHIN && index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (isDigitCode(code)) digits++
    else if (code === 44 || code === 10 || code === 58) return false
    if (digits === 4) return true
  }
  return false
}

const IBAN_GAP = /[ \-\u00a0\u202f]/

/** An IBAN whose check digits start here, after its country code. Groups may be separated by one space or hyphen. */
function ibanAt(text: string, at: number): Match | undefined {
  const parsed = parseIban(text, at)
  if (parsed === undefined || /\w/.test(text.charAt(parsed.end)) || !checksum.isIban(parsed.compact)) return undefined
  return { kind: 'pii.iban', severity: 'high', confidence: 0.98, start: at - 2, end: parsed.end }
}

/** Whether an IBAN may be pending here: nothing so far excludes it. */
function isIbanPending(text: string, at: number): boolean {
  return parseIban(text, at)?.end === text.length
}

/** Reads as many letters and digits as the country's IBANs have, or as there are. */
function parseIban(text: string, at: number): Readonly<{ compact: string; end: number }> | undefined {
  const country = text.slice(at - 2, at)
  const length = checksum.ibanLength(country)
  if (length === undefined || at < 2 || /\w/.test(text.charAt(at - 3))) return undefined
  let compact = country
  let end = at
  for (; compact.length < length && end < text.length; end++) {
    const character = text.charAt(end)
    if (/[0-9A-Za-z]/.test(character)) compact += character
    else if (!IBAN_GAP.test(character) || IBAN_GAP.test(text.charAt(end + 1))) return undefined
  }
  return { compact, end }
}
