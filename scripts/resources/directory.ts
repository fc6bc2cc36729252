/** A directory with its owner and mode. */
import type { Resource } from '../core/resource.ts'

/** `owner` and `group` are names or numbers; `mode` is octal digits (`0750`). */
export type DirectoryOptions = Readonly<{ path: string; owner: string | number; group: string | number; mode: string }>

/** The directory; what stands in its way is refused, never removed. */
export const directory = (options: DirectoryOptions): Resource => {
  throw new Error(`not written yet: ${options.path}`)
}
