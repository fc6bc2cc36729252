/**
 * API keys: their format, how they are created, and what is stored of them (a hash and a short prefix, never the
 * key).
 */
import { timingSafeEqual } from 'node:crypto'
import { sha256 } from '../core/hash.ts'
import type { Random } from '../core/ports.ts'

/** The kind of a key shows in its prefix: `tp_` agents, `tp_dev_` developers, `tp_pat_` people. */
export type KeyKind = 'agent' | 'developer' | 'pat'

const PREFIX: Readonly<Record<KeyKind, string>> = { agent: 'tp_', developer: 'tp_dev_', pat: 'tp_pat_' }

/** Given a kind, returns a new key: its prefix and 32 random bytes in 43 characters of URL-safe base64. */
export function createKey(kind: KeyKind, random: Random): string {
  return PREFIX[kind] + Buffer.from(random.bytes(32)).toString('base64url')
}

/** True when `text` has the format of a key, so that anything else costs no database lookup. */
export function isKeyShaped(text: string): boolean {
  return /^tp_[A-Za-z0-9_-]{20,200}$/.test(text)
}

/** Given a key, returns what is stored: its hash (lower-case hex SHA-256) and its first 10 characters. */
export function storedKey(key: string): Readonly<{ hash: string; prefix: string }> {
  return { hash: sha256(key), prefix: key.slice(0, 10) }
}

/** True when both hashes (hex) are equal, compared in constant time. */
export function isSameHash(one: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(one, 'hex'), Buffer.from(other, 'hex'))
}
