/**
 * Finds IBANs at their check digits: how long one is depends on its country. Groups may be separated by blanks or single
 * hyphens; of letters and digits that a hyphen groups in another way, as in a UUID, nothing is an IBAN.
 */
import type { Finder } from '../../detection/rule.ts'
import { ibanLength, isIban } from './checksum.ts'

const BLANK = /[ \u00a0\u202f]/
const HYPHEN = '-'
/** An IBAN is written in groups of four. */
const GROUP_CHARS = 4

/** Countries whose account numbers have digits alone, by ISO 13616. */
const DIGITS_ONLY = /^(?:AE|AT|BA|BE|CZ|DE|DK|EE|ES|FI|HR|HU|IL|IS|LT|ME|NO|PL|PT|RS|SE|SI|SK|TN|VA|XK)/i

/** The finder. An IBAN is pending where nothing so far excludes it. */
export const IBAN: Finder = {
  matchAt: (text, at) => {
    const parsed = parseIban(text, at)
    if (parsed === undefined || !isIban(parsed.compact) || isGlued(text, parsed.end)) return undefined
    return DIGITS_ONLY.test(parsed.compact) && /[A-Za-z]/.test(parsed.compact.slice(4))
      ? undefined
      : [at - 2, parsed.end]
  },
  pendingAt: (text, at) => (parseIban(text, at)?.end === text.length ? at - 2 : undefined),
}

/** Whether a digit follows, or what may belong to a longer name: a small letter behind capitals is the next word. */
function isGlued(text: string, end: number): boolean {
  const next = text.charAt(end)
  return /[\dA-Z_]/.test(next) || (/[a-z]/.test(next) && /[a-z]/.test(text.charAt(end - 1)))
}

/** Reads as many letters and digits as the country's IBANs have, or as there are. */
function parseIban(text: string, at: number): Readonly<{ compact: string; end: number }> | undefined {
  // Most digits stand behind no two letters: they cost two tests.
  if (at < 2 || !isLetter(text, at - 1) || !isLetter(text, at - 2) || isWordBefore(text, at - 2)) return undefined
  const country = text.slice(at - 2, at)
  const length = ibanLength(country)
  if (length === undefined) return undefined
  let compact = country
  let end = at
  for (; compact.length < length && end < text.length; end++) {
    const character = text.charAt(end)
    if (/[0-9A-Za-z]/.test(character)) compact += character
    else if (
      character === HYPHEN
        ? compact.length % GROUP_CHARS !== 0 || text.charAt(end - 1) === HYPHEN
        : !BLANK.test(character)
    )
      return undefined
    else if (BLANK.test(character) && /\s/.test(text.charAt(end - 1)) && /\s/.test(text.charAt(end - 2)))
      return undefined
  }
  return { compact, end }
}

/** Whether a word goes on to the left, but for the word IBAN itself. */
function isWordBefore(text: string, at: number): boolean {
  return /\w/.test(text.charAt(at - 1)) && text.slice(Math.max(0, at - 4), at).toLowerCase() !== 'iban'
}

function isLetter(text: string, at: number): boolean {
  const lower = text.charCodeAt(at) | 32
  return lower >= 97 && lower <= 122
}
