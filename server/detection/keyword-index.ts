/**
 * The keywords of all detectors in one automaton: a text is scanned once, whichever detector comes first. The hits
 * are kept in the text's memo.
 */
import { createKeywordScanner, type KeywordScanner } from './aho-corasick.ts'

/** The hits of one text, in the index that it is scanned by. */
export type KeywordMemo = { hits?: Hits }

/**
 * `found`: of each hit the set, the index of its keyword and where it starts, one after the other; undefined when there are too
 * many. `sets`: a bit for each set that has one; the last bit is shared by all that have none of their own.
 */
type Hits = Readonly<{ found: readonly number[] | undefined; sets: number }>

/** One set of keywords in the index. */
export type IndexedKeywords = Readonly<{
  /** Calls `visit` as a KeywordScanner does, from the memo of the text when there is one. */
  scan: (text: string, visit: (keyword: number, start: number) => void, memo: KeywordMemo | undefined) => void
  /** True when the memo says that none of the set occurs in the text; without one that is unknown. */
  isAbsent: (text: string, memo: KeywordMemo | undefined) => boolean
}>

/** An index. Sets are added before the first text is scanned with a memo; then `add` throws. */
export type KeywordIndex = Readonly<{
  add: (keywords: readonly string[]) => IndexedKeywords
  /** False when none of all keywords occurs in the text. */
  hasAny: (text: string) => boolean
}>

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
  const hitsFor = (text: string, memo: KeywordMemo | undefined): Hits => {
    if (memo === undefined || text.length > CACHED_CHARS_MAX) return TOO_MANY
    scanAll ??= createCombinedScanner(sets)
    memo.hits ??= scanAll(text)
    return memo.hits
  }
  const add = (keywords: readonly string[]): IndexedKeywords => {
    if (scanAll !== undefined) throw new Error('keywords were added after the first text was scanned')
    let scanAlone: KeywordScanner | undefined
    const set = sets.push(keywords) - 1
    return {
      isAbsent: (text, memo) => (hitsFor(text, memo).sets & bitOf(set)) === 0,
      scan: (text, visit, memo) => {
        const { found } = hitsFor(text, memo)
        if (found === undefined) {
          scanAlone ??= createKeywordScanner(keywords)
          scanAlone(text, visit)
          return
        }
        for (let hit = 0; hit < found.length; hit += 3)
          if (found[hit] === set) visit(found[hit + 1] as number, found[hit + 2] as number)
      },
    }
  }
  return { add, hasAny: (text) => hitsFor(text, {}).sets !== 0 }
}

const NONE: Hits = { found: [], sets: 0 }
const TOO_MANY: Hits = { found: undefined, sets: ~0 }

function bitOf(set: number): number {
  return 1 << Math.min(set, 31)
}

function createCombinedScanner(combined: readonly (readonly string[])[]): (text: string) => Hits {
  const scan = createKeywordScanner(combined.flat())
  const setOf = combined.flatMap((keywords, set) => keywords.map(() => set))
  const indexInSet = combined.flatMap((keywords) => keywords.map((_, index) => index))
  let found: number[] | undefined
  let sets = 0
  let remaining = 0
  const visit = (keyword: number, start: number): void => {
    remaining -= 1
    if (remaining < 0) return
    const set = setOf[keyword] as number
    sets |= bitOf(set)
    found ??= []
    found.push(set, indexInSet[keyword] as number, start)
  }
  return (text) => {
    remaining = hitsMax(text)
    scan(text, visit)
    const hits = remaining < 0 ? TOO_MANY : found === undefined ? NONE : { found, sets }
    found = undefined
    sets = 0
    return hits
  }
}
