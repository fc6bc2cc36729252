/**
 * Texts of examples. `{alnum:36}` is 36 made-up letters and digits, so that no text that looks like a secret stands in
 * this repository; the same template always gives the same text. A single character in place of the name is repeated
 * (`{x:36}`), and `{-:0}` is nothing: it parts what a scanner would find.
 */

const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const DIGITS = '0123456789'

/** Alphabets by their names. */
export const ALPHABETS: Readonly<Record<string, string>> = {
  alnum: UPPER + LOWER + DIGITS,
  letters: UPPER + LOWER,
  upper: UPPER + DIGITS,
  lower: LOWER + DIGITS,
  digits: DIGITS,
  hex: `${DIGITS}abcdef`,
  base32: `${UPPER}234567`,
  base64: `${UPPER + LOWER + DIGITS}+/`,
}

const TEMPLATE = new RegExp(`\\{(${Object.keys(ALPHABETS).join('|')}|[^"{}]):(\\d{1,3})\\}`, 'gs')

/** Returns the text that a template stands for. */
export function exampleText(template: string): string {
  const next = sequence(template.length)
  return template.replace(TEMPLATE, (_, name: string, count: string) => {
    const characters = ALPHABETS[name] ?? name
    return Array.from({ length: Number(count) }, () => characters[Math.floor(next() * characters.length)]).join('')
  })
}

/** A reproducible sequence of numbers in [0, 1) (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
