/**
 * RFC 6901 pointers into a body, bounded: keys are a client's text, and a pointer stands beside every text below them.
 */
import { sha256 } from '../core/hash.ts'

/**
 * Suffix of the pointer of a segment that is an object's key, not its value. No RFC 6901 pointer can end so: there a
 * tilde is always followed by 0 or 1.
 */
export const KEY_SUFFIX = '~#'

/** A longer token is replaced by a hash. */
const TOKEN_CHARS_MAX = 128

/** Of a longer pointer to a container, all is replaced by a hash. */
const POINTER_CHARS_MAX = 256

/** Begins a token that is a hash, and, like the suffix, no other. */
const HASH_PREFIX = '~h'

function hashToken(text: string): string {
  // UTF-8 has one form for all lone surrogates; as escapes they stay apart.
  return `${HASH_PREFIX}${text.length}-${sha256(text.isWellFormed() ? text : JSON.stringify(text)).slice(0, 32)}`
}

/** A key as a token of a pointer. */
export function pointerToken(key: string): string {
  if (key.length > TOKEN_CHARS_MAX) return hashToken(key)
  return key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

/** The pointer under which a container's members stand: its own one, or a hash of it. Pointers stay this short. */
export function containerPointer(pointer: string): string {
  return pointer.length > POINTER_CHARS_MAX ? `/${hashToken(pointer)}` : pointer
}
