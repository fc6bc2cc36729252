/** Maps places in what a JSON string says to places in its source, and back, over the escapes between them. */

/**
 * Each of the two is called with ascending indexes. `sourceIndex` returns where a character's source begins.
 * `decodedIndex` returns the character that a place in the source belongs to: a range that begins within an escape has
 * all of it, one that ends behind the backslash of an escape has nothing of it.
 */
export type EscapeMap = Readonly<{
  sourceIndex: (decoded: number) => number
  decodedIndex: (source: number, isEnd: boolean) => number
}>

/** Characters of an escape: `\\n`, `\\u00e9`. */
function escapeChars(source: string, at: number): number {
  return source.charAt(at + 1) === 'u' ? 6 : 2
}

/** Given the source of a string with its quotes, creates the map. */
export function createEscapeMap(source: string): EscapeMap {
  // Up to the next escape both run side by side, `surplus` apart.
  let surplus = 1
  let nextEscape = source.indexOf('\\')
  const skipEscape = (): void => {
    const chars = escapeChars(source, nextEscape)
    surplus += chars - 1
    nextEscape = source.indexOf('\\', nextEscape + chars)
  }
  return {
    sourceIndex: (decoded) => {
      while (nextEscape >= 0 && nextEscape < decoded + surplus) skipEscape()
      return decoded + surplus
    },
    decodedIndex: (index, isEnd) => {
      while (nextEscape >= 0 && nextEscape + escapeChars(source, nextEscape) <= index) skipEscape()
      const inside = nextEscape >= 0 ? index - nextEscape : 0
      if (inside <= 0) return index - surplus
      return nextEscape - surplus + (isEnd && inside > 1 ? 1 : 0)
    },
  }
}
