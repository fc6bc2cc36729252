/** Digits in a text: where the next one is, and where a run of them ends. Most texts have few, so this is fast. */

const DIGIT = /[0-9]/g

/** Index of the first ASCII digit at or after `from`; -1 when there is none. */
export function nextDigit(text: string, from: number): number {
  DIGIT.lastIndex = from
  return DIGIT.test(text) ? DIGIT.lastIndex - 1 : -1
}

/** Index after the last of the consecutive digits from `at` on. */
export function digitsEnd(text: string, at: number): number {
  let end = at
  while (end < text.length && isDigitCode(text.charCodeAt(end))) end++
  return end
}

/** Whether a UTF-16 code unit is an ASCII digit. */
export function isDigitCode(code: number): boolean {
  return code >= 48 && code <= 57
}
