/** Detects numbers by their format and checksum, without a label: in one pass over the digits of a text. */
import type { PendingFrom } from '../core/step.ts'
import { digitsEnd, isDigitCode, nextDigit } from './digit.ts'
import { type PartialPattern, pendingAt, withPartial } from './partial-match.ts'
import { type Detector, MATCHES_MAX, type Match, matchAt, type Pattern } from './pattern.ts'
import { lastRunStart } from './pending-match.ts'
import type { Finder } from './rule.ts'

/** A number: how many digits its first group may have, and its pattern; or a finder, whatever the group. */
export type NumberPattern = Readonly<{ digits: readonly number[]; pattern: Pattern; finder?: Finder }>

/** The longest first group of any format. */
const GROUP_MAX = 19

/** The patterns to try for a number, by how many digits its first group has. */
export function patternsByGroup(numbers: readonly NumberPattern[]): readonly (readonly Pattern[])[] {
  return Array.from({ length: GROUP_MAX + 1 }, (_, length) =>
    numbers.filter(({ digits }) => digits.includes(length)).map(({ pattern }) => pattern),
  )
}

/** Creates a detector for a set of numbers. */
export function createNumberDetector(numbers: readonly NumberPattern[]): Detector {
  const byGroup = patternsByGroup(numbers)
  const finders = numbers.flatMap(({ finder, pattern }) => (finder === undefined ? [] : [{ finder, pattern }]))
  return (text) => {
    const matches: Match[] = []
    for (let at = nextDigit(text, 0), end = 0; at >= 0 && matches.length <= MATCHES_MAX; at = nextDigit(text, end)) {
      end = digitsEnd(text, at)
      if (!hasFourDigits(text, at)) continue
      for (const pattern of byGroup[end - at] ?? []) {
        const match = matchAt(text, at, pattern)
        if (match !== undefined) matches.push(match)
      }
      for (const { finder, pattern } of finders) {
        const range = finder.matchAt(text, at)
        if (range === undefined) continue
        const { kind, severity, confidence } = pattern
        matches.push({ kind, severity, confidence, start: range[0], end: range[1] })
      }
    }
    return matches
  }
}

/** What precedes the last run of a text: two letters, and a blank, in front of a British number. */
const LETTERS_BEFORE = /[A-Z]{2} $/

/** Creates the pendingFrom function of createNumberDetector. */
export function pendingFromNumbers(numbers: readonly NumberPattern[], matchCharsMax: number): PendingFrom {
  let tools: ReturnType<typeof pendingTools> | undefined
  return (text, only) => {
    if (only === 'valued') return text.length
    tools ??= pendingTools(numbers)
    let earliest = only ? text.length : lastRunStart(text, text.length, matchCharsMax)
    if (!only && LETTERS_BEFORE.test(text.slice(-3))) earliest = Math.min(earliest, text.length - 3)
    for (
      let at = nextDigit(text, Math.max(0, text.length - matchCharsMax)), end = 0;
      at >= 0;
      at = nextDigit(text, end)
    ) {
      end = digitsEnd(text, at)
      const isStart = !isDigitCode(text.charCodeAt(at - 1))
      if (!isStart || (text.length - at >= FOUR_DIGITS_WITHIN && !hasFourDigits(text, at))) continue
      // A first group at the end of the text has no length yet.
      const patterns = end === text.length ? tools.all : (tools.byGroup[end - at] ?? [])
      for (const pattern of patterns) earliest = Math.min(earliest, pendingAt(text, at, pattern))
      for (const finder of tools.finders) earliest = Math.min(earliest, finder.pendingAt(text, at) ?? earliest)
    }
    return earliest
  }
}

function pendingTools(numbers: readonly NumberPattern[]) {
  const partials = new Map<Pattern, PartialPattern>()
  for (const { pattern, finder } of numbers) if (finder === undefined) partials.set(pattern, withPartial(pattern))
  return {
    all: [...partials.values()],
    byGroup: patternsByGroup(numbers).map((patterns) => patterns.flatMap((pattern) => partials.get(pattern) ?? [])),
    finders: numbers.flatMap(({ finder }) => finder ?? []),
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
