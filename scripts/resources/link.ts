/** A symbolic link. */
import type { Resource } from '../core/resource.ts'

/** `target` as it is written in the link. */
export type LinkOptions = Readonly<{ path: string; target: string }>

/** Switched by a rename, so that there is always one or the other. */
export const link = (options: LinkOptions): Resource => {
  throw new Error(`not written yet: ${options.path}`)
}
