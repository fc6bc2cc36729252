/** How an image is named when it is run. */
import type { LocalImage } from './artifact.ts'

/**
 * What `docker run` is given: the pinned `name@sha256:…` of a pulled image, and of one loaded from an archive its tag
 * (an archive carries no digest of a registry). `reference` is `name:tag@sha256:digest`.
 */
export function runnableImage(reference: string, archive?: LocalImage): string {
  const [tagged = '', digest] = reference.split('@')
  if (archive !== undefined || digest === undefined) return tagged
  return `${tagged.replace(/:[^/:]+$/, '')}@${digest}`
}
