/** A file with its whole content, owner and mode. */

import type { Resource } from '../core/resource.ts'
import { type ByHost, forHost } from '../facts/host-trait.ts'
import { planFile, type WantedFile } from '../files/file-change.ts'

/**
 * `owner` and `group` are names or numbers, `mode` is octal digits. `check` gives the argv of a program that must accept the
 * candidate file before it takes the place of the old one (`['visudo', '-cf', candidate]`). `isPrivate` keeps the content out of plans.
 */
export type FileOptions = WantedFile & Readonly<{ content: ByHost<string> }>

/** Written to a temporary file beside it, flushed, checked, renamed. What is no file and no link is refused. */
export function file(options: FileOptions): Resource {
  return {
    id: `file:${options.path}`,
    plan: (know) => planFile(know, options, forHost(know, options.content)),
  }
}
