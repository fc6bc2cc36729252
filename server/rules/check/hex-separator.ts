/** Where an address of hexadecimal groups may be: what has a colon or hyphen in it, and little else. */

function isHexCode(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 97 && code <= 102) || (code >= 65 && code <= 70)
}

/** Hexadecimal digits on both sides of an index, or a second colon. */
export function isHexSeparator(text: string, at: number): boolean {
  const after = text.charCodeAt(at + 1)
  return isHexCode(text.charCodeAt(at - 1)) && (isHexCode(after) || after === 58)
}
