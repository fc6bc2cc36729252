/** The version of a service's inputs: a hash that the running process carries in its environment. */
import { createHash } from 'node:crypto'

/** Placeholder for the revision in a unit's text. */
export const REVISION_PLACEHOLDER = '@REVISION@'

/** Returns 16 hex digits of the SHA-256 over the texts, each prefixed with its length, so that different lists never hash alike. */
export function revisionOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text)
  return hash.digest('hex').slice(0, 16)
}
