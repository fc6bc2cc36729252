/** Where a match may be pending at the end of a text that continues: what a stream has to hold back. */
import type { PendingFrom } from '../core/step.ts'

/** Returns the smallest of several pending indexes. */
export function earliestPending(alternatives: readonly PendingFrom[]): PendingFrom {
  return (text, only) =>
    alternatives.reduce((least, pendingFrom) => Math.min(least, pendingFrom(text, only)), text.length)
}

/** The bounds of a step's matches (see Step). */
type MatchBounds = Readonly<{ matchCharsMax?: number; pendingFrom?: PendingFrom }>

/**
 * Combines the pendingFrom of several steps. A step without one may have a match pending anywhere within its
 * `matchCharsMax`.
 */
export function pendingFromSteps(steps: readonly MatchBounds[]): PendingFrom {
  return earliestPending(
    steps.map(({ matchCharsMax = 0, pendingFrom }) => pendingFrom ?? ((text) => text.length - matchCharsMax)),
  )
}

/** The characters of names, numbers and tokens in front of a keyword (of an `@`). */
const RUN_CHARACTER = /[\w.+~%()=/:@\u00c0-\u024f-]/

/** Index where the run that reaches `end` begins, at most `charsMax` before it; `end` when there is none. */
export function lastRunStart(text: string, end: number, charsMax: number): number {
  let start = end
  while (start > 0 && end - start < charsMax && RUN_CHARACTER.test(text.charAt(start - 1))) start--
  return start
}
