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

/** Returns the address of the registry that an image is pulled from. What stands before the first slash is one when it can be nothing else. */
export function registryUrl(reference: string): string {
  const first = reference.split('@')[0]?.split('/') ?? []
  const host = first.length > 1 && /[.:]|^localhost$/.test(first[0] ?? '') ? first[0] : 'docker.io'
  return `https://${/^(?:index\.)?docker\.io$/.test(host ?? '') ? 'registry-1.docker.io' : host}/`
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

/** Returns the major version in an image's tag: the 16 of `postgres:16.14-alpine@…`; empty where the tag is no version. */
export function majorOf(reference: string): string {
  return /:(\d+)[^/]*$/.exec(reference.split('@')[0] ?? '')?.[1] ?? ''
}
