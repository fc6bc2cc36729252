/** Words for the far side's POSIX shell. zx and execa quote for the local shell only, so this is ours. */

const isPlain = /^[A-Za-z0-9_@%+=:,./-]+$/

/** One word that a POSIX shell reads back as exactly this text. Throws for NUL, which no argument can hold. */
export const quote = (word: string): string => {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a NUL character')
  return isPlain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A whole command line; the first word is kept from being read as an assignment. */
export const quoteAll = (argv: readonly string[]): string =>
  argv
    .map((word, index) => (index === 0 && word.includes('=') ? `'${word.replaceAll("'", `'\\''`)}'` : quote(word)))
    .join(' ')
