/** Distribution packages that must be installed. */
import type { ByHost } from '../core/host-trait.ts'
import type { Resource } from '../core/resource.ts'

/** `names` may say `name=version`. `id` is for the resource's address; the names joined unless given. */
export type AptPackageOptions = Readonly<{ id?: string; names: ByHost<readonly string[]> }>

/** Packages installed from the host's apt sources. */
export const aptPackage = (options: AptPackageOptions): Resource => {
  throw new Error(`not written yet: ${options.id}`)
}
