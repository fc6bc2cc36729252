/**
 * The keywords of all detectors in one automaton: a text is passed over once, whichever detector asks first. What was found
 * is kept beside the text, and goes with it.
 */
import { type KeywordScanner, keywordScanner } from './keyword-scanner.ts'

/** What was found in one text: for each set of keywords, in turn which keyword of it and where it starts. */
export type KeywordMemo = { hits?: Hits }
type Hits = readonly (readonly number[] | undefined)[]

/** Calls `visit` as a KeywordScanner does, from the memo of the text when one is given. */
export type IndexedScanner = (text: string, visit: (keyword: number, start: number) => void, memo?: KeywordMemo) => void

/** Longer texts are passed over for each set: what is found in them may take more room than they do, and is not kept. */
const KEPT_CHARS_MAX = 64 * 1024

const sets: (readonly string[])[] = []
let together: ((text: string) => Hits) | undefined

/** Adds a set of keywords, which are as keywordScanner wants them, and gives its scanner. */
export function indexedScanner(keywords: readonly string[]): IndexedScanner {
  const scan = keywordScanner(keywords)
  const set = sets.push(keywords) - 1
  together = undefined
  return (text, visit, memo) => {
    if (memo === undefined || text.length > KEPT_CHARS_MAX) {
      scan(text, visit)
      return
    }
    // A set that was added since the memo was made is not in it.
    if (memo.hits === undefined || memo.hits.length <= set) memo.hits = hitsOf(text)
    const hits = memo.hits[set]
    if (hits === undefined) return
    for (let index = 0; index < hits.length; index += 2) visit(hits[index] as number, hits[index + 1] as number)
  }
}

function hitsOf(text: string): Hits {
  together ??= scannerOf(sets)
  return together(text)
}

function scannerOf(joined: readonly (readonly string[])[]): (text: string) => Hits {
  const scan: KeywordScanner = keywordScanner(joined.flat())
  const setOf = joined.flatMap((keywords, set) => keywords.map(() => set))
  const placeOf = joined.flatMap((keywords) => keywords.map((_, place) => place))
  const none: Hits = joined.map(() => undefined)
  return (text) => {
    let hits: (number[] | undefined)[] | undefined
    scan(text, (keyword, start) => {
      hits ??= joined.map(() => undefined)
      const set = setOf[keyword] as number
      const ofSet = hits[set] ?? []
      hits[set] = ofSet
      ofSet.push(placeOf[keyword] as number, start)
    })
    return hits ?? none
  }
}
