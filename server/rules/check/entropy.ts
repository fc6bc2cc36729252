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
  /^(?:[xX*._0-]+|<.*|\$[({A-Za-z].*|%.*%|\{.*|\[.*|todo|none|null|nil|undefined|(?:string|varchar|char|text|int|uint|float|bytes?)\(?\d*\)?|true|false|string|password\d{0,4}|passw0rd|secret\d{0,4}|changeme\d{0,4}|(?:test|admin|user|pass|qwerty|letmein)\d{0,6}|1234567\d*)$|\.\.\.|…|example|placeholder|change[_-]?(?:me|it|this)|replace[_-]?(?:me|with|this)|redacted|your[_-]|dummy|sample|insert[_-]|x{6}|\*{4}|•{4}/i

/** Whether a value is a placeholder for a secret (`<token>`, `${TOKEN}`, `xxxx`, `your-key-here`). */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value) || new Set(value).size < 4
}

/** Words that make up what a program is developed with; a number may stand behind each. */
const DEFAULT =
  /^(?:(?:my|your|the|some|super|top|very|new|old|bad|wrong|correct|strong|weak|default|initial|temp|valid|invalid|fake|mock|stub|demo|dev|local|foo|bar|baz|abc|user|admin|root|tests?|testing|pass|passwords?|passwd|pwd|passphrase|secrets?|tokens?|key|hash|hashed|auth|api|access|credentials?|letmein|qwerty|guest|postgres|postgresql|mysql|mariadb|redis|rabbit|mongo|mongodb|minio|elastic|grafana|keycloak|django|rails|laravel|app|db|database|client|server|service|account|one|two|three|value|id)[-_]?\d{0,6}[-_]?)+$/i

/** Words of tests and examples inside a value. */
const TESTED = /pass-?word|passwd|secret|token|test|fake|mock|abcdef|qwerty|123456789/i

/** Whether a value is one that programs are developed and tested with, not one that keeps anything. */
export function isDefault(value: string): boolean {
  return DEFAULT.test(value) || (value.length < 24 && /^[A-Za-z0-9_-]+$/.test(value) && TESTED.test(value))
}

/** Whether a value has letters and, besides them, digits or signs, as generated secrets and chosen passwords do. */
export function isMixed(value: string): boolean {
  return /[A-Za-z]/.test(value) && /[^A-Za-z]/.test(value)
}
