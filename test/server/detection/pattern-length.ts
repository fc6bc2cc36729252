/** How many characters a pattern can look at, before and after its start. */
import { type Alternatives, type Element, parseRegex, quantified } from '../../../server/detection/regex-syntax.ts'

/** Characters: in the match itself, behind its end (lookahead), before its start (lookbehind). Infinity where unbounded. */
export type Lengths = Readonly<{ match: number; ahead: number; behind: number }>

const NOTHING: Lengths = { match: 0, ahead: 0, behind: 0 }

/** Gives the lengths of a pattern. Throws on syntax that patterns don't use. */
export function patternLengths(pattern: RegExp): Lengths {
  return longestOf(parseRegex(pattern))
}

function longestOf(alternatives: Alternatives): Lengths {
  return alternatives
    .map(({ elements }) => sequenceLengths(elements))
    .reduce((one, other) => ({
      match: Math.max(one.match, other.match),
      ahead: Math.max(one.ahead, other.ahead),
      behind: Math.max(one.behind, other.behind),
    }))
}

function sequenceLengths(elements: readonly Element[]): Lengths {
  let { match, ahead, behind } = NOTHING
  for (const element of elements) {
    const { once, max } = quantified(element)
    const atom = elementLengths(once)
    // How far ahead an atom looks counts from the end of the whole: at most all of it.
    ahead = Math.max(ahead, atom.ahead)
    behind = Math.max(behind, atom.behind)
    match += atom.match === 0 ? 0 : atom.match * max
  }
  return { match, ahead, behind }
}

function elementLengths(element: Element): Lengths {
  if (!('alternatives' in element))
    return element.type === 'Assertion' ? { match: 0, ahead: 1, behind: 1 } : { ...NOTHING, match: 1 }
  const { match, ahead, behind } = longestOf(element.alternatives)
  if (element.type !== 'Assertion') return { match, ahead, behind }
  return element.kind === 'lookahead'
    ? { match: 0, ahead: match + ahead, behind }
    : { match: 0, ahead, behind: match + behind }
}
