/** SHA-256, as the ledger, keys and the policy's revision use it. */
import { createHmac, hash } from 'node:crypto'

/** Given text (as UTF-8) or bytes, returns their SHA-256 in lower-case hex. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex')
}

/**
 * Returns what tells whether the secret with that id has this value, without saying what it is, in lower-case hex. `key` is random and secret: nobody without it can
 * try out values.
 */
export function secretFingerprint(key: string | Uint8Array, id: string, value: string | Uint8Array): string {
  return createHmac('sha256', key).update(`${id}\0`).update(value).digest('hex')
}
