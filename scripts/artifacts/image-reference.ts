/** The reference by which an image is run. */
import type { LocalImage } from './artifact.ts'

/**
 * Returns the reference for `docker run`: the pinned `name@sha256:…` of a pulled image, or the tag of an image loaded from an archive
 * (which has no registry digest). `reference` is `name:tag@sha256:digest`.
 */
export function runnableImage(reference: string, archive?: LocalImage): string {
  const [tagged = '', digest] = reference.split('@')
  if (archive !== undefined || digest === undefined) return tagged
  return `${tagged.replace(/:[^/:]+$/, '')}@${digest}`
}
