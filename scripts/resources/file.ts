/** A file with its whole content, owner and mode. */
import type { ByHost } from '../core/host-trait.ts'
import type { Resource } from '../core/resource.ts'

/**
 * `check` gives the argv of a program that must accept the candidate file before it takes the place of the old one
 * (`['visudo', '-cf', candidate]`). `isPrivate` keeps the content out of plans and diffs.
 */
export type FileOptions = Readonly<{
  path: string
  content: ByHost<string>
  owner: string | number
  group: string | number
  mode: string
  isPrivate?: boolean
  check?: (candidate: string) => readonly [string, ...string[]]
}>

/** Written to a temporary file beside it, flushed, checked, renamed. */
export const file = (options: FileOptions): Resource => {
  throw new Error(`not written yet: ${options.path}`)
}
