/** The reference by which an image is run. */
import type { LocalImage } from './artifact.ts'

const HOST = String.raw`(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?`
const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*'
const PINNED = new RegExp(String.raw`^(?:${HOST}/)?${PART}(?:/${PART})*(?::\w[\w.-]{0,127})?@sha256:[0-9a-f]{64}$`)

/** Whether the text names an image by its digest: `name@sha256:…`, with a registry and a tag before it or without. */
export function isPinnedReference(text: string): boolean {
  return PINNED.test(text)
}

/** Docker's own short form, under which it lists what it has: Docker Hub and its folder `library` are left out. */
function shortName(name: string): string {
  return name.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\/(?=[^/]+$)/, '')
}

/**
 * Returns the reference for `docker run`: the pinned `name@sha256:…` of a pulled image, or the tag of an image loaded from an archive
 * (which has no registry digest). `reference` is `name:tag@sha256:digest`.
 */
export function runnableImage(reference: string, archive?: LocalImage): string {
  const [tagged = '', digest] = reference.split('@')
  if (archive !== undefined || digest === undefined) return tagged
  return `${shortName(tagged.replace(/:[^/:]+$/, ''))}@${digest}`
}
