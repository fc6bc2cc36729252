/** The setting `images`: where the container images come from, when not from where the pins say. */
import * as v from 'valibot'
import { isPinnedReference } from '../artifacts/image-reference.ts'
import { isMapping, type Mapping } from './settings.ts'

const image = v.optional(
  v.strictObject({
    /** A file on the controller made by `docker save`, relative to the folder of the specification. */
    archive: v.optional(v.pipe(v.string(), v.minLength(1))),
    /** A private registry's copy. */
    reference: v.optional(
      v.pipe(
        v.string(),
        v.check(isPinnedReference, 'must be an image by its digest, such as registry.example.com/postgres@sha256:…'),
      ),
    ),
  }),
  {},
)

/** `archive` is a file on the controller to load instead of pulling; `reference` is pulled instead of the pinned image. */
export const imagesSchema = v.optional(v.strictObject({ postgres: image, redis: image }), {})

/** The parsed setting. */
export type ImagesSpec = v.InferOutput<typeof imagesSchema>

/** Returns what contradicts itself, with the keys that it is about. */
export function imageContradictions(
  images: ImagesSpec,
): readonly (readonly [keys: readonly string[], problem: string])[] {
  return Object.entries(images).flatMap(([name, { archive, reference }]) =>
    archive === undefined || reference === undefined
      ? []
      : [[['images', name, 'reference'], 'is not used beside archive: write one of the two'] as const],
  )
}

/** Whether the written setting names a file of the controller. */
export function namesImageFile(written: unknown): boolean {
  return isMapping(written) && Object.values(written).some((each) => isMapping(each) && each['archive'] !== undefined)
}

/** Returns what of the written setting means something on the host, undefined where nothing does: no files of the controller. */
export function imagesOfHost(written: unknown): Mapping | undefined {
  const kept = Object.entries(isMapping(written) ? written : {}).flatMap(([name, each]) =>
    isMapping(each) && each['reference'] !== undefined ? [[name, { reference: each['reference'] }] as const] : [],
  )
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}
