/**
 * The keywords of all detectors in one automaton: a text is scanned once, whichever detector comes first. The hits
 * are kept in the text's memo.
 */
import { createKeywordScanner } from './aho-corasick.ts'

/** The hits of one text. */
export type KeywordMemo = { hits?: Hits }

/**
 * For each set of keywords, alternately the index of a keyword and where it starts; undefined when there are too
 * many.
 */
type Hits = Readonly<{ sets: number; found: readonly (readonly number[] | undefined)[] | undefined }>

/** One set of keywords in the index. */
export type IndexedKeywords = Readonly<{
  /** Calls `visit` as a KeywordScanner does, from the memo of the text when there is one. */
  scan: (text: string, visit: (keyword: number, start: number) => void, memo: KeywordMemo | undefined) => void
  /** True when the memo says that none of the set occurs in the text; without one that is unknown. */
  isAbsent: (text: string, memo: KeywordMemo | undefined) => boolean
}>

/** Hits that are kept of a text, so that memory stays small. A text with more is scanned once for each set. */
function hitsMax(text: string): number {
  return 16 + text.length / 8
}

/** So is a longer text, which would have more. */
const CACHED_CHARS_MAX = 64 * 1024

const sets: (readonly string[])[] = []
let scanAll: ((text: string) => Hits) | undefined

/** Adds a set of keywords, as createKeywordScanner requires them. */
export function indexKeywords(keywords: readonly string[]): IndexedKeywords {
  const scanAlone = createKeywordScanner(keywords)
  const set = sets.push(keywords) - 1
  scanAll = undefined
  const hitsFor = (text: string, memo: KeywordMemo | undefined): Hits['found'] => {
    if (memo === undefined || text.length > CACHED_CHARS_MAX) return undefined
    // A set that was added since the memo was created is not in it.
    if (memo.hits === undefined || memo.hits.sets <= set) memo.hits = scanHits(text)
    return memo.hits.found
  }
  return {
    isAbsent: (text, memo) => {
      const found = hitsFor(text, memo)
      return found !== undefined && found[set] === undefined
    },
    scan: (text, visit, memo) => {
      const found = hitsFor(text, memo)
      if (found === undefined) {
        scanAlone(text, visit)
        return
      }
      const hits = found[set] ?? []
      for (let index = 0; index < hits.length; index += 2) visit(hits[index] as number, hits[index + 1] as number)
    },
  }
}

function scanHits(text: string): Hits {
  scanAll ??= createCombinedScanner(sets)
  return scanAll(text)
}

function createCombinedScanner(combined: readonly (readonly string[])[]): (text: string) => Hits {
  const scan = createKeywordScanner(combined.flat())
  const setOf = combined.flatMap((keywords, set) => keywords.map(() => set))
  const indexInSet = combined.flatMap((keywords) => keywords.map((_, index) => index))
  const none: Hits = { sets: combined.length, found: combined.map(() => undefined) }
  const tooMany: Hits = { sets: combined.length, found: undefined }
  return (text) => {
    let found: (number[] | undefined)[] | undefined
    let remaining = hitsMax(text)
    scan(text, (keyword, start) => {
      remaining -= 1
      if (remaining < 0) return
      found ??= combined.map(() => undefined)
      const set = setOf[keyword] as number
      const setHits = found[set] ?? []
      found[set] = setHits
      setHits.push(indexInSet[keyword] as number, start)
    })
    if (remaining < 0) return tooMany
    return found ? { sets: combined.length, found } : none
  }
}
