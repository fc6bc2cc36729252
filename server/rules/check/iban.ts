/** Finds IBANs at their check digits: how long one is depends on its country. Groups may be separated by one space or hyphen. */
import type { Finder } from '../../detection/rule.ts'
import { ibanLength, isIban } from './checksum.ts'

const IBAN_GAP = /[ \-\u00a0\u202f]/

/** The finder. An IBAN is pending where nothing so far excludes it. */
export const IBAN: Finder = {
  matchAt: (text, at) => {
    const parsed = parseIban(text, at)
    if (parsed === undefined || /\w/.test(text.charAt(parsed.end)) || !isIban(parsed.compact)) return undefined
    return [at - 2, parsed.end]
  },
  pendingAt: (text, at) => (parseIban(text, at)?.end === text.length ? at - 2 : undefined),
}

/** Reads as many letters and digits as the country's IBANs have, or as there are. */
function parseIban(text: string, at: number): Readonly<{ compact: string; end: number }> | undefined {
  // Most digits stand behind no two letters: they cost two tests.
  if (at < 2 || !isLetter(text, at - 1) || !isLetter(text, at - 2) || /\w/.test(text.charAt(at - 3))) return undefined
  const country = text.slice(at - 2, at)
  const length = ibanLength(country)
  if (length === undefined) return undefined
  let compact = country
  let end = at
  for (; compact.length < length && end < text.length; end++) {
    const character = text.charAt(end)
    if (/[0-9A-Za-z]/.test(character)) compact += character
    else if (!IBAN_GAP.test(character) || IBAN_GAP.test(text.charAt(end + 1))) return undefined
  }
  return { compact, end }
}

function isLetter(text: string, at: number): boolean {
  const lower = text.charCodeAt(at) | 32
  return lower >= 97 && lower <= 122
}
