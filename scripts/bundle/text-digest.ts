/** The digest that a manifest has of a text of this clone. */
import { createHash } from 'node:crypto'

/** Returns the SHA-256 of a text, lower-case hex. */
export function textDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
