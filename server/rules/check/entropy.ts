/** How varied a string is: what distinguishes a generated secret from a word or a placeholder. */

/** Shannon entropy in bits per character (0 for an empty text). */
export function entropyBits(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** What people write in place of a secret: whole values, and words that only occur in placeholders. */
const PLACEHOLDER =
  /^(?:[xX*._0-]+|<.*|\$[({A-Za-z].*|%.*%|\{.*|\[.*|todo|none|null|nil|undefined|true|false|string|password\d{0,4}|passw0rd|secret\d{0,4}|changeme\d{0,4}|(?:test|admin|user|pass|qwerty|letmein)\d{0,6}|1234567\d*)$|\.\.\.|example|placeholder|change[_-]?me|redacted|your[_-]|dummy|sample|insert[_-]|x{6}|\*{4}/i

/** Whether a value is a placeholder for a secret (`<token>`, `${TOKEN}`, `xxxx`, `your-key-here`). */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value) || new Set(value).size < 4
}

/** Whether a value has letters and, besides them, digits or signs, as generated secrets and chosen passwords do. */
export function isMixed(value: string): boolean {
  return /[A-Za-z]/.test(value) && /[^A-Za-z]/.test(value)
}
