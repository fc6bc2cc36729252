/** Words for the far side's POSIX shell. zx and execa quote for the local shell only, so this is ours. */

const IS_PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/

/** One word that a POSIX shell reads back as exactly this text. Throws for NUL, which no argument can hold. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL character')
  return IS_PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A whole command line; the first word is kept from being read as an assignment. */
export function quoteAll(argv: readonly string[]): string {
  return argv
    .map((word, index) => (index === 0 && word.includes('=') ? `'${word.replaceAll("'", `'\\''`)}'` : quote(word)))
    .join(' ')
}
