/** Where in a text that goes on something may still be running: what a stream has to hold back. */
import type { Opening } from '../core/step.ts'

/** Gives the least of several openings. */
export function firstOpening(openings: readonly Opening[]): Opening {
  return (text) => openings.reduce((least, opening) => Math.min(least, opening(text)), text.length)
}

/** What a step says about the matches it can make (see Step). */
type Reach = Readonly<{ reachChars?: number; opening?: Opening }>

/** Gives the opening of several steps. One that doesn't say anything may be running all over its reach. */
export function stepsOpening(steps: readonly Reach[]): Opening {
  return firstOpening(steps.map(({ reachChars = 0, opening }) => opening ?? ((text) => text.length - reachChars)))
}

/** What names, numbers and tokens in front of a keyword (of an `@`) are made of. */
const RUN = /[\w.+~%()=/:@\u00c0-\u024f-]/

/** Index where the run that reaches to `end` begins, at most `charsMax` before it; `end` when there is none. */
export function lastRunStart(text: string, end: number, charsMax: number): number {
  let start = end
  while (start > 0 && end - start < charsMax && RUN.test(text.charAt(start - 1))) start--
  return start
}
