/**
 * Ids by which parts of a conversation refer to each other (calls of tools and their results). One with a finding in it is
 * replaced as a whole, by another id: the same for the same, so that they still belong together, and another for another.
 */
import { sha256 } from '../core/hash.ts'

/** Pointers to such ids, in a body or in a list of chunks. */
const ID =
  /^(?:\/\d+)?\/(?:id$|(?:messages|input|choices|output|content)\/.*\/(?:id|tool_call_id|tool_use_id|call_id)$)/

/** Characters of the hash: no two ids of a conversation share them. */
const HASH_CHARS = 24

/** Returns what replaces the text at a pointer; undefined when it is no such id. */
export type AliasOf = (pointer: string, text: string) => string | undefined

/** Creates the aliases of a gateway. `key` stays secret: nobody else can test guesses of what an id was. */
export function createAliases(key: Uint8Array): AliasOf {
  return (pointer, text) =>
    ID.test(pointer)
      ? `redacted_${sha256(Buffer.concat([key, Buffer.from(`id ${text}`)])).slice(0, HASH_CHARS)}`
      : undefined
}
