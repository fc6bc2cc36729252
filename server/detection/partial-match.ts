/**
 * Says where a match may still be running at the end of a text: the question that a stream asks about what it holds.
 *
 * From each pattern another one is made that matches at a place if, and nearly only if, more text could change what the
 * pattern does there: every character may also be the end of the text, and some way through must arrive at that end.
 */

import type { Opening } from '../core/step.ts'
import { keywordScanner } from './aho-corasick.ts'
import { matchAt, type Pattern } from './pattern.ts'
import { lastRunStart } from './pending-match.ts'
import { type Alternatives, type Part, readPattern } from './regex-parser.ts'

/** A glance (`isPlausible`) looks at fewer characters than this. */
const GLANCE_CHARS = 8

/** Makes the pattern that matches where `pattern` is undecided. Throws on syntax that it does not know. */
export function undecided({ source, flags }: RegExp): RegExp {
  return new RegExp(`(?:${openAlternatives(readPattern(source))})$`, flags)
}

const openAlternatives = (alternatives: Alternatives): string =>
  alternatives.map((parts) => parts.map(openPart).join('')).join('|')

function openPart(part: Part): string {
  switch (part.sort) {
    case 'character':
    case 'boundary':
      return `(?:${part.source}|$)${part.times}`
    case 'group':
      return `${part.open}${openAlternatives(part.alternatives)})${part.times}`
    case 'behind':
      // What stands before a place is known, unless the way has come to the end already.
      return `(?:${part.source}|$)`
    case 'ahead':
      // Undecided itself: then so is the whole, and the way goes to the end. Else it is what it is.
      return `(?:(?=(?:${openAlternatives(part.alternatives)})$)[^]*|${part.source})`
  }
}

/** A pattern and the one that matches where it is undecided. */
export type Openable = Readonly<{ pattern: Pattern; open: RegExp }>

/** Makes a pattern openable. */
export const openable = (pattern: Pattern): Openable => ({ pattern, open: undecided(pattern.pattern) })

/** Gives where a match of a pattern that is tried at a place begins if it is undecided; the text's length if it isn't. */
export function openAt(text: string, at: number, { pattern, open }: Openable): number {
  if (text.length - at > GLANCE_CHARS && pattern.isPlausible?.(text, at) === false) return text.length
  open.lastIndex = at
  const found = open.exec(text)
  if (found !== null) return (found.indices ?? []).reduce((least, range) => Math.min(least, range?.[0] ?? at), at)
  // How a match goes on past its pattern is not known here: as long as it is within reach, it may.
  const match = pattern.extend === undefined ? undefined : matchAt(text, at, pattern)
  return match?.start ?? text.length
}

/** Makes the opening of a set of patterns, keywords of which only a part has come among it. */
export function patternOpening(patterns: readonly Pattern[], reachChars: number): Opening {
  const keywords: string[] = []
  const owners: Openable[] = []
  for (const one of patterns.map(openable)) {
    for (const keyword of one.pattern.keywords) {
      keywords.push(keyword)
      owners.push(one)
    }
  }
  const scan = keywordScanner(keywords)
  return (text) => {
    const from = Math.max(0, text.length - reachChars)
    let least = text.length
    const partChars = scan(text.slice(from), (keyword, start) => {
      least = Math.min(least, openAt(text, from + start, owners[keyword] as Openable))
    })
    return Math.min(least, lastRunStart(text, text.length - partChars, reachChars))
  }
}
