/** Where a text that may go on has to be held back. */

/** Index before which no match of at most `reachChars` characters can still be running at the end of the text. */
export function holdFrom(text: string, reachChars: number): number {
  return Math.max(0, text.length - reachChars)
}
