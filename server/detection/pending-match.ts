/** Where in a text that goes on something may still be running: what a stream has to hold back. */
import type { PendingFrom } from '../core/step.ts'

/** Returns the least of several openings. */
export function earliestPending(alternatives: readonly PendingFrom[]): PendingFrom {
  return (text) => alternatives.reduce((least, pendingFrom) => Math.min(least, pendingFrom(text)), text.length)
}

/** What a step says about the matches it can make (see Step). */
type MatchBounds = Readonly<{ matchCharsMax?: number; pendingFrom?: PendingFrom }>

/** Returns the opening of several steps. One that doesn't say anything may be running all over its reach. */
export function pendingFromSteps(steps: readonly MatchBounds[]): PendingFrom {
  return earliestPending(
    steps.map(({ matchCharsMax = 0, pendingFrom }) => pendingFrom ?? ((text) => text.length - matchCharsMax)),
  )
}

/** What names, numbers and tokens in front of a keyword (of an `@`) are made of. */
const RUN_CHARACTER = /[\w.+~%()=/:@\u00c0-\u024f-]/

/** Index where the run that reaches to `end` begins, at most `charsMax` before it; `end` when there is none. */
export function lastRunStart(text: string, end: number, charsMax: number): number {
  let start = end
  while (start > 0 && end - start < charsMax && RUN_CHARACTER.test(text.charAt(start - 1))) start--
  return start
}
