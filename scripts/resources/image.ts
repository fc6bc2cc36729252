/** A container image in Docker's store. */
import type { LocalImage } from '../core/local-file.ts'
import type { Resource } from '../core/resource.ts'

/** `reference` is `name:tag@sha256:digest`; with `archive` that file is loaded instead of pulling. See core/image-reference.ts for what to run. */
export type ImageOptions = Readonly<{ reference: string; archive?: LocalImage }>

/** Pulled by digest, or sent and loaded; a loaded image's id is compared with the archive's. */
export const image = (options: ImageOptions): Resource => {
  throw new Error(`not written yet: ${options.reference}`)
}
