/** The digest that files, images and texts are compared by. */
import { createHash } from 'node:crypto'

/** Returns the SHA-256 of a content, in lower-case hex. */
export function sha256Of(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
