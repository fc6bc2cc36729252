/** A signed package repository: its key, checked against a fingerprint, and its deb822 source. */
import type { Resource } from '../core/resource.ts'

/**
 * `uri` and `suite` may hold `{distribution}` and `{codename}`. `key` is ASCII-armoured text; `fingerprint` 40 hex digits.
 * The key goes to /etc/apt/keyrings/ID.asc, the source to /etc/apt/sources.list.d/ID.sources.
 */
export type AptRepositoryOptions = Readonly<{
  id: string
  uri: string
  suite: string
  components: readonly string[]
  key: string
  fingerprint: string
}>

/** Throws at once when the key's fingerprint is another. */
export const aptRepository = (options: AptRepositoryOptions): Resource => {
  throw new Error(`not written yet: ${options.id}`)
}
