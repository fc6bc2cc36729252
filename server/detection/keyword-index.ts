/**
 * The keywords of all detectors in one automaton: a text is scanned once, whichever detector comes first. The hits
 * are kept in the text's memo.
 */
import { createKeywordScanner, type KeywordScanner } from './aho-corasick.ts'

/** The hits of one text, in the index that it is scanned by. */
export type KeywordMemo = { hits?: Hits }

/**
 * For each set of keywords, alternately the index of a keyword and where it starts; undefined when there are none.
 * Undefined as a whole when there are too many.
 */
type Hits = Readonly<{ found: readonly (readonly number[] | undefined)[] | undefined }>

/** One set of keywords in the index. */
export type IndexedKeywords = Readonly<{
  /** Calls `visit` as a KeywordScanner does, from the memo of the text when there is one. */
  scan: (text: string, visit: (keyword: number, start: number) => void, memo: KeywordMemo | undefined) => void
  /** True when the memo says that none of the set occurs in the text; without one that is unknown. */
  isAbsent: (text: string, memo: KeywordMemo | undefined) => boolean
}>

/** An index. Sets are added before the first text is scanned with a memo; then `add` throws. */
export type KeywordIndex = Readonly<{ add: (keywords: readonly string[]) => IndexedKeywords }>

/** Hits that are kept of a text, so that memory stays small. A text with more is scanned once for each set. */
function hitsMax(text: string): number {
  return 16 + text.length / 8
}

/** So is a longer text, which would have more. */
const CACHED_CHARS_MAX = 64 * 1024

/** Creates an empty index. `add` takes keywords as createKeywordScanner requires them. */
export function createKeywordIndex(): KeywordIndex {
  const sets: (readonly string[])[] = []
  let scanAll: ((text: string) => Hits) | undefined
  const hitsFor = (text: string, memo: KeywordMemo | undefined): Hits['found'] => {
    if (memo === undefined || text.length > CACHED_CHARS_MAX) return undefined
    scanAll ??= createCombinedScanner(sets)
    memo.hits ??= scanAll(text)
    return memo.hits.found
  }
  const add = (keywords: readonly string[]): IndexedKeywords => {
    if (scanAll !== undefined) throw new Error('keywords were added after the first text was scanned')
    let scanAlone: KeywordScanner | undefined
    const set = sets.push(keywords) - 1
    return {
      isAbsent: (text, memo) => {
        const found = hitsFor(text, memo)
        return found !== undefined && found[set] === undefined
      },
      scan: (text, visit, memo) => {
        const found = hitsFor(text, memo)
        if (found === undefined) {
          scanAlone ??= createKeywordScanner(keywords)
          scanAlone(text, visit)
          return
        }
        const hits = found[set] ?? []
        for (let hit = 0; hit < hits.length; hit += 2) visit(hits[hit] as number, hits[hit + 1] as number)
      },
    }
  }
  return { add }
}

function createCombinedScanner(combined: readonly (readonly string[])[]): (text: string) => Hits {
  const scan = createKeywordScanner(combined.flat())
  const setOf = combined.flatMap((keywords, set) => keywords.map(() => set))
  const indexInSet = combined.flatMap((keywords) => keywords.map((_, index) => index))
  const none: Hits = { found: combined.map(() => undefined) }
  const tooMany: Hits = { found: undefined }
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
    return found ? { found } : none
  }
}
