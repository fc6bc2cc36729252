/** Quoting for the POSIX shell of the remote host. zx and execa quote for the local shell only. */

const SAFE_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/

/** Quotes one word for a POSIX shell. Throws for NUL, which no argument can hold. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL character')
  return SAFE_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Quotes a whole command line; a first word with `=` is quoted, so that it is not read as an assignment. */
export function quoteAll(argv: readonly string[]): string {
  return argv
    .map((word, index) => (index === 0 && word.includes('=') ? `'${word.replaceAll("'", `'\\''`)}'` : quote(word)))
    .join(' ')
}
