/** Text of a host as it may be shown on a terminal. */

/** Control and format characters (ESC, C1, overrides of direction), and the separators of lines and paragraphs. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu

/** Returns the text with each character that a terminal would obey written as `\u{1b}`; tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) =>
    character === '\t' ? character : `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

/** Returns JSON with the same characters as `\u001b`: what reads it gets them back, and a terminal that shows it does not obey. */
export function printableJson(json: string): string {
  return json.replaceAll(UNPRINTABLE, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
