/** SHA-256, as the ledger, keys and the policy's revision use it. */
import { hash } from 'node:crypto'

/** Given text (as UTF-8) or bytes, returns their SHA-256 in lower-case hex. */
export function sha256(content: string | Uint8Array): string {
  return hash('sha256', content, 'hex')
}
