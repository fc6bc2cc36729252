/**
 * Texts that look like secrets or personal data, put together when a test runs, so that no scanner stumbles over this
 * repository. Nothing in here is anybody's.
 */

const ALPHABETS = {
  alnum: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  hex: '0123456789abcdef',
  base32: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789',
  digits: '0123456789',
  base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
} as const

/** A reproducible sequence of numbers in [0, 1) (mulberry32). */
export function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** `count` characters of an alphabet, the same for the same seed. The first is a letter, the second a digit where there are any. */
export function made(count: number, alphabet: keyof typeof ALPHABETS = 'alnum', seed = 7): string {
  const next = sequence(seed)
  const characters = ALPHABETS[alphabet]
  return Array.from({ length: count }, () => characters[Math.floor(next() * characters.length)]).join('')
}

/** An armoured private key with a body of `lines` lines of 64 characters. */
export function privateKey(sort = 'RSA ', lines = 12, newline = '\n'): string {
  const edge = (word: string): string => `${'-'.repeat(5)}${word} ${sort}PRIVATE ${'KEY'}${'-'.repeat(5)}`
  const body = Array.from({ length: lines }, (_, line) => made(64, 'base64', line + 1))
  return [edge('BEGIN'), ...body, `${made(30, 'base64', 99)}==`, edge('END')].join(newline)
}

/** A signed token as issuers make them. */
export function jwt(): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'RS256', typ: 'JWT', kid: 'k1' })}.${part({ sub: '1234567890', name: 'A B', iat: 1516239022 })}.${made(43)}`
}
