/** Which version of its inputs a service runs: a hash that its own process carries. */
import { createHash } from 'node:crypto'

/** Stands in a unit's text where its revision belongs. */
export const REVISION_PLACEHOLDER = '@REVISION@'

/** 16 hex digits of the SHA-256 over the texts, each with its length, so that no two lists collide by joining. */
export function revisionOf(texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${Buffer.byteLength(text)}:`).update(text)
  return hash.digest('hex').slice(0, 16)
}
