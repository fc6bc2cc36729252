/**
 * Detects telephone numbers, each at its first digit. Which notations count by themselves, and which only next to a
 * word about telephones, is in the rules of the form `phone`.
 */
import type { PendingFrom } from '../core/step.ts'
import { digitsEnd, isDigitCode, nextDigit } from './digit.ts'
import { type PartialPattern, pendingAt, withPartial } from './partial-match.ts'
import { type Detector, MATCHES_MAX, type Match, matchAt, type Pattern } from './pattern.ts'
import { lastRunStart } from './pending-match.ts'

/** Creates a detector for notations; the first one that matches at an index counts. */
export function createPhoneDetector(patterns: readonly Pattern[]): Detector {
  return (text) => {
    const matches: Match[] = []
    for (
      let at = nextDigit(text, 0);
      at >= 0 && matches.length <= MATCHES_MAX;
      at = nextDigit(text, digitsEnd(text, at))
    ) {
      if (!hasSevenDigits(text, at)) continue
      for (const pattern of patterns) {
        const match = matchAt(text, at, pattern)
        if (match === undefined) continue
        matches.push(match)
        break
      }
    }
    return matches
  }
}

/** Creates the pendingFrom function of createPhoneDetector. */
export function pendingFromPhones(patterns: readonly Pattern[], matchCharsMax: number): PendingFrom {
  let partials: readonly PartialPattern[] | undefined
  return (text, only) => {
    if (only === 'valued') return text.length
    partials ??= patterns.map(withPartial)
    let earliest = only ? text.length : lastRunStart(text, text.length, matchCharsMax)
    const from = Math.max(0, text.length - matchCharsMax)
    for (let at = nextDigit(text, from); at >= 0; at = nextDigit(text, digitsEnd(text, at))) {
      const isStart = !isDigitCode(text.charCodeAt(at - 1))
      if (!isStart || (text.length - at >= SEVEN_DIGITS_WITHIN && !hasSevenDigits(text, at))) continue
      for (const pattern of partials) earliest = Math.min(earliest, pendingAt(text, at, pattern))
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
