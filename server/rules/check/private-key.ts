/** Armoured private keys: where one ends. */

/** What may be between two pieces of a body: line breaks, quotes, and the signs that code joins lines with. */
const GLUE = '[\\s"\'`\\\\,;+>|]{0,24}'
const PIECE = new RegExp(`${GLUE}[A-Za-z0-9+/=]{16,}`, 'y')
const HEADER = /[\s"'`\\]{0,8}[A-Za-z][A-Za-z-]{2,30}: [^\n]{0,160}\n/y
const FOOTER = new RegExp(`${GLUE}(?:[A-Za-z0-9+/=]{1,80}${GLUE})?-{2,5} ?END[A-Z0-9 ]{0,40}-{0,5}`, 'y')
/**
 * Returns the index after the key whose first line ends at `end`: after its footer, or after the last piece of its
 * body when the footer is missing. From one piece to the next it reads at most some 200 characters.
 */
export function privateKeyEnd(text: string, end: number): number {
  let at = end
  for (const part of [HEADER, PIECE]) {
    for (part.lastIndex = at; part.test(text); ) at = part.lastIndex
  }
  FOOTER.lastIndex = at
  return FOOTER.test(text) ? FOOTER.lastIndex : at
}
