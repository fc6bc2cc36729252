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
  /^(?:[xX*._0-]+|<.*|\$[({A-Za-z].*|%.*%|\{.*|\[.*|todo|none|null|nil|undefined|(?:string|varchar|char|text|int|uint|float|bytes?)\(?\d*\)?|true|false|string|p[a@][s$]{2}w[o0]rd\d{0,4}|secret\d{0,4}|changeme\d{0,4}|(?:test|admin|user|pass|qwerty|letmein)\d{0,6}|1234567\d*)$|\.\.\.|…|example|placeholder|change[_-]?(?:me|it|this)|replace[_-]?(?:me|with|this)|redacted|your[_-]|dummy|sample|insert[_-]|x{6}|\*{4}|•{4}/i

/** Whether a value is a placeholder for a secret (`<token>`, `${TOKEN}`, `xxxx`, `your-key-here`). */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value) || new Set(value).size < 4
}

/** Words that make up what a program is developed with; a number may stand behind each. */
const DEFAULT =
  /^(?:(?:my|your|the|some|super|top|very|new|old|bad|wrong|correct|strong|weak|default|initial|temp|valid|invalid|fake|mock|stub|demo|dev|local|foo|bar|baz|abc|user|admin|root|tests?|testing|pass|passwords?|passwd|pwd|passphrase|secrets?|tokens?|key|hash|hashed|auth|api|access|credentials?|letmein|qwerty|guest|postgres|postgresql|mysql|mariadb|redis|rabbit|mongo|mongodb|minio|elastic|grafana|keycloak|django|rails|laravel|app|db|database|client|server|service|account|one|two|three|value|id)[-_]?\d{0,6}[-_]?)+$/i

/** Words of tests and examples inside a value. */
const TESTED = /pass-?word|passwd|secret|token|test|fake|mock|abcdef|qwerty|123456789/i

/** A word with the number that people put behind it where one is asked for: `scaleio123`. */
const NUMBERED_WORD = /^[a-z]{3,16}(?:123(?:4(?:56?)?)?|321)!?$/i

/** Words about secrets, which no generator puts into one. */
const ABOUT_SECRETS = /test|mock|fake|dummy|secret|token|key|pass|credential/i

/** Whether a value is one that programs are developed and tested with, not one that keeps anything. */
export function isDefault(value: string): boolean {
  return (
    DEFAULT.test(value) ||
    NUMBERED_WORD.test(value) ||
    (value.length < 24 && /^[A-Za-z0-9_-]+$/.test(value) && TESTED.test(value)) ||
    isMadeUp(value)
  )
}

/** Words about a secret, and what counts up: `test-master-key-1234567890abcdef`, `CLIENT_SECRET_12345`. */
function isMadeUp(value: string): boolean {
  const parts = value.match(/[A-Za-z]+|\d+/g) ?? []
  return (
    parts.length > 1 &&
    /^[A-Za-z0-9]+(?:[-_.:!]+[A-Za-z0-9]*)+$/.test(value) &&
    ABOUT_SECRETS.test(value) &&
    parts.every((part) => (/\d/.test(part) ? part.length < 4 || isCounting(part) : isCounting(part) || isWord(part)))
  )
}

/** A word has a vowel, or is as short as `sk` and `api`. */
function isWord(part: string): boolean {
  return part.length < 4 || (part.length < 14 && /[aeiouy]/i.test(part) && /^(?:[a-z]+|[A-Z]+|[A-Z][a-z]+)$/.test(part))
}

/** Whether each character follows on the one before; zero may follow nine. */
function isCounting(part: string): boolean {
  return [...part.toLowerCase()].every((character, index, all) => {
    const step = character.charCodeAt(0) - (all[index - 1] ?? character).charCodeAt(0)
    return index === 0 || step === 1 || (character === '0' && all[index - 1] === '9')
  })
}

/** Whether a value has letters and, besides them, digits or signs, as generated secrets and chosen passwords do. */
export function isMixed(value: string): boolean {
  return /[A-Za-z]/.test(value) && /[^A-Za-z]/.test(value)
}
