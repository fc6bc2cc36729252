/** A path at which there must be nothing. */
import type { Resource } from '../core/resource.ts'

/** Removes a file, a link, or a directory with what is in it on the same file system. */
export const absent = (options: Readonly<{ path: string }>): Resource => {
  throw new Error(`not written yet: ${options.path}`)
}
