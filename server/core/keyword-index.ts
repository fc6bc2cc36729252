/**
 * The keywords of all detectors in one automaton: a text is passed over once, whichever detector asks first. What was found
 * is kept beside the text, and goes with it.
 */
import { keywordScanner } from './keyword-scanner.ts'

/** What was found in one text: for each set of keywords, in turn which keyword of it and where it starts. */
export type KeywordMemo = { hits?: Hits }
type Hits = readonly (readonly number[] | undefined)[]

/** A set of keywords among the others. */
export type IndexedKeywords = Readonly<{
  /** Calls `visit` as a KeywordScanner does, from the memo of the text when one is given. */
  scan: (text: string, visit: (keyword: number, start: number) => void, memo: KeywordMemo | undefined) => void
  /** True when the memo says that none of the set stands in the text; without one that is not known. */
  isAbsent: (text: string, memo: KeywordMemo | undefined) => boolean
}>

/** Longer texts are passed over for each set: what is found in them may take more room than they do, and is not kept. */
const KEPT_CHARS_MAX = 64 * 1024

const sets: (readonly string[])[] = []
let lookForAll: ((text: string) => Hits) | undefined

/** Adds a set of keywords, which are as keywordScanner wants them. */
export function indexKeywords(keywords: readonly string[]): IndexedKeywords {
  const scanAlone = keywordScanner(keywords)
  const set = sets.push(keywords) - 1
  lookForAll = undefined
  const isKept = (text: string, memo: KeywordMemo | undefined): memo is KeywordMemo =>
    memo !== undefined && text.length <= KEPT_CHARS_MAX
  const hitsIn = (text: string, memo: KeywordMemo): readonly number[] | undefined => {
    // A set that was added since the memo was made is not in it.
    if (memo.hits === undefined || memo.hits.length <= set) memo.hits = hitsOf(text)
    return memo.hits[set]
  }
  return {
    isAbsent: (text, memo) => isKept(text, memo) && hitsIn(text, memo) === undefined,
    scan: (text, visit, memo) => {
      if (!isKept(text, memo)) {
        scanAlone(text, visit)
        return
      }
      const hits = hitsIn(text, memo) ?? []
      for (let index = 0; index < hits.length; index += 2) visit(hits[index] as number, hits[index + 1] as number)
    },
  }
}

function hitsOf(text: string): Hits {
  lookForAll ??= scannerOf(sets)
  return lookForAll(text)
}

function scannerOf(joined: readonly (readonly string[])[]): (text: string) => Hits {
  const scan = keywordScanner(joined.flat())
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
