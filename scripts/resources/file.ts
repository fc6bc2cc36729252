/** A file with its content, owner and mode. */

import type { Resource } from '../core/resource.ts'
import { type PerHost, resolvePerHost } from '../facts/host-trait.ts'
import { type FileSpec, planFile } from '../files/file-change.ts'
import { planFileAbsent } from '../files/removal.ts'

/**
 * `owner` and `group` are names or numbers, `mode` is octal digits. `check` returns the argv of a program that must accept the
 * candidate file before it replaces the old one (`['visudo', '-cf', candidate]`). `isPrivate` keeps the content out of plans.
 */
export type FileOptions = FileSpec & Readonly<{ content: PerHost<string> }>

/** The file: written to a temporary file in the same folder, flushed, checked, renamed. Anything but a file or link at the path is a `Failure` (exit 5). */
export function file(options: FileOptions): Resource {
  return {
    id: `file:${options.path}`,
    absent: (getFact) => planFileAbsent(getFact, options.path),
    plan: (getFact) => planFile(getFact, options, resolvePerHost(getFact, options.content)),
    ...(options.isPrivate === true
      ? {}
      : {
          files: async (getFact) => [{ path: options.path, content: await resolvePerHost(getFact, options.content) }],
        }),
  }
}
