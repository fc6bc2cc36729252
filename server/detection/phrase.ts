/** Phrases of several words that indicate an attack. */
import type { Author } from '../core/call.ts'
import type { Severity } from '../core/finding.ts'
import { replaceEach } from '../normalization/text-builder.ts'
import type { KeywordIndex, KeywordMemo } from './keyword-index.ts'
import { MATCHES_MAX, type Match } from './pattern.ts'

/** In whose texts a phrase counts. `data` is tool results and documents; an instruction there is an attack. */
export type Channel = 'anyone' | 'data'

/**
 * `pattern` (flags g and i, bounded), the channel where it counts, and keywords (ASCII, either case) of which one is
 * in or next to each match. Without keywords it is tried on texts with letters beyond Latin. `dataConfidence`: how sure
 * a match is in what tools and documents say.
 */
export type Phrase = Readonly<{
  /** The rule that it was compiled from. */
  rule?: string
  kind: string
  severity: Severity
  confidence: number
  dataConfidence: number
  channel: Channel
  keywords: readonly string[]
  pattern: RegExp
}>

/** How sure a match of a phrase is in what this author wrote; undefined where it does not count. */
export function confidenceFor({ channel, confidence, dataConfidence }: Phrase, author: Author): number | undefined {
  if (author === 'tool') return dataConfidence
  return channel === 'anyone' ? confidence : undefined
}

/** Characters around a keyword in which a phrase is tried: more than any phrase spans. */
const CONTEXT_CHARS = 160

/** A keyword that begins with a letter matches only at the start of a word: "ai" is not in "main". */
function isLetter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90)
}

/** Letters of other scripts than Latin. */
const BEYOND_LATIN = /[\u0370-\u1fff\u3040-\uffdc]/

/** Finds phrases; the caller says how sure a match of each is, if it counts at all. */
export type PhraseDetector = (
  text: string,
  confidenceOf: (phrase: Phrase) => number | undefined,
  memo?: KeywordMemo,
) => readonly Match[]

const NO_MATCHES: readonly Match[] = []

/**
 * Creates a detector for a set of phrases, whose keywords it adds to an index. Its work is bounded by the text's length
 * times the number of phrases.
 */
export function createPhraseDetector(phrases: readonly Phrase[], index: KeywordIndex): PhraseDetector {
  const owners = phrases.flatMap((phrase) => phrase.keywords.map(() => phrase))
  const { scan, isAbsent } = index.add(phrases.flatMap(({ keywords }) => keywords))
  const wordless = phrases.filter(({ keywords }) => keywords.length === 0)
  return (written, confidenceOf, memo) => {
    // Curly apostrophes are as long as straight ones.
    const text = written.includes('’') ? replaceEach(written, /’/g, "'") : written
    // The memo is of the original text.
    const kept = text === written ? memo : undefined
    const isBeyondLatin = BEYOND_LATIN.test(text)
    if (!isBeyondLatin && isAbsent(text, kept)) return NO_MATCHES
    let windows: Map<Phrase, [start: number, end: number][]> | undefined
    const visit = (keyword: number, at: number): void => {
      const phrase = owners[keyword] as Phrase
      if ((isLetter(text.charCodeAt(at)) && isLetter(text.charCodeAt(at - 1))) || confidenceOf(phrase) === undefined)
        return
      windows ??= new Map()
      const list = windows.get(phrase) ?? []
      windows.set(phrase, list)
      addWindow(list, at)
    }
    scan(text, visit, kept)
    for (const phrase of isBeyondLatin ? wordless : []) {
      if (confidenceOf(phrase) === undefined) continue
      windows ??= new Map()
      windows.set(phrase, [[0, text.length]])
    }
    if (windows === undefined) return NO_MATCHES
    const matches: Match[] = []
    for (const [phrase, list] of windows) {
      const confidence = confidenceOf(phrase) ?? 0
      for (const [start, end] of list) addMatches(matches, text, phrase, confidence, start, end)
    }
    return matches
  }
}

/** Joins windows that touch. Keywords come in the order of their ends, so one may start a little before the last. */
function addWindow(list: [start: number, end: number][], at: number): void {
  const [start, end] = [Math.max(0, at - CONTEXT_CHARS), at + CONTEXT_CHARS]
  const last = list.at(-1)
  if (last === undefined || start > last[1]) list.push([start, end])
  else {
    last[0] = Math.min(last[0], start)
    last[1] = Math.max(last[1], end)
  }
}

/** Adds the matches in a window, up to one more than can be evaluated. */
function addMatches(
  matches: Match[],
  text: string,
  { kind, severity, pattern, rule }: Phrase,
  confidence: number,
  from: number,
  to: number,
): void {
  if (matches.length > MATCHES_MAX) return
  const window = text.slice(from, to)
  // Not matchAll, which copies the expression for each window.
  pattern.lastIndex = 0
  for (let match = pattern.exec(window); match !== null; match = pattern.exec(window)) {
    if (match[0] === '') pattern.lastIndex += 1
    const start = from + match.index
    const found = { kind, severity, confidence, start, end: start + match[0].length }
    matches.push(rule === undefined ? found : { ...found, rule })
    if (matches.length > MATCHES_MAX) return
  }
}
