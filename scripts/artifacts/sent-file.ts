/**
 * Which files of the controller went into a host, as the host keeps it: by their digests, without a path. With them a run that has no such file plans what the run
 * that had them planned; whatever needs the bytes themselves can't be done by it.
 */
import * as v from 'valibot'
import { canonicalJson } from '../core/canonical.ts'
import { ELSEWHERE, type LocalFile, type LocalImage, type Located } from './artifact.ts'
import type { SitePages } from './site-pages.ts'

const hex = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const digest = v.pipe(v.string(), v.regex(/^sha256:[0-9a-f]{64}$/))
const image = v.strictObject({ imageId: digest, layers: v.array(digest) })

/** The settings that name an archive of programs. */
const ARCHIVES = ['node', 'caddy', 'cloudflared', 'spire', 'spiffeHelper'] as const

const schema = v.strictObject({
  /** By the setting: `node`, `opa`, `site`. */
  files: v.strictObject({
    ...(Object.fromEntries(ARCHIVES.map((name) => [name, v.optional(hex)])) as Record<
      (typeof ARCHIVES)[number],
      v.OptionalSchema<typeof hex, undefined>
    >),
    opa: v.optional(hex),
    site: v.optional(hex),
  }),
  images: v.strictObject({ postgres: v.optional(image), redis: v.optional(image) }),
})

type Archive = Readonly<{ archive?: LocalFile }>
type Image = Readonly<{ archive?: LocalImage; reference?: string }>

/** The settings of a specification that may name files of the controller. */
export type FileSettings = Readonly<Record<(typeof ARCHIVES)[number], Archive>> &
  Readonly<{
    images: Readonly<Record<'postgres' | 'redis', Image>>
    opa: Readonly<{ program?: LocalFile | undefined; sha256?: string | undefined }>
    site: 'none' | Readonly<{ pages: SitePages; wheels?: LocalFile | undefined }>
    bundle?: Readonly<{ packages: Readonly<Record<string, LocalFile>> }> | undefined
  }>

/** The digests. */
export type KeptInputs = v.InferOutput<typeof schema>

function withoutPath({ imageId, layers }: LocalImage): Omit<LocalImage, 'file'> {
  return { imageId, layers }
}

/** Returns the text of the file on the host. Pure. */
export function inputsText({ images, opa, site, ...spec }: FileSettings): string {
  const programs = ARCHIVES.map((name) => [name, spec[name].archive?.sha256] as const)
  const wheels = site === 'none' ? undefined : site.wheels?.sha256
  const files = [...programs, ['opa', opa.program?.sha256] as const, ['site', wheels] as const]
  const loaded = Object.entries(images).flatMap(([name, { archive }]) =>
    archive === undefined ? [] : [[name, withoutPath(archive)] as const],
  )
  const given = Object.fromEntries(files.filter(([, sha256]) => sha256 !== undefined))
  return `${canonicalJson({ files: given, images: Object.fromEntries(loaded) })}\n`
}

/** Returns what stands in the file; undefined for a text that is none. */
export function parseInputs(text: string): KeptInputs | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(text))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** Where a file is by now, by its SHA-256; an image's by its id. */
export type SentFiles = Readonly<Record<string, Located>>

function locationOf({ file, part, name }: Located): Located {
  return { file, ...(part && { part }), ...(name === undefined ? {} : { name }) }
}

/** Returns the files of a specification, by the same keys. Pure. */
export function filesOfSpec({ images, opa, site, bundle, ...spec }: FileSettings): SentFiles {
  const programs = [...ARCHIVES.map((name) => spec[name].archive), opa.program]
  const packages = Object.values(bundle?.packages ?? {})
  const files = [...programs, site === 'none' ? undefined : site.wheels, ...packages]
  return Object.fromEntries([
    ...files.flatMap((given) => (given === undefined ? [] : [[given.sha256, locationOf(given)] as const])),
    ...Object.values(images).flatMap(({ archive }) =>
      archive === undefined ? [] : [[archive.imageId, locationOf(archive)] as const],
    ),
  ])
}

/** Returns the file with that digest; one that is not in `sent` is on another machine. Pure. */
export function sentFile(sha256: string, sent: SentFiles): LocalFile {
  return { ...(sent[sha256] ?? { file: ELSEWHERE }), sha256 }
}

/** Returns the specification as if those files had been given; what is not in `sent` is on another machine. Pure. */
export function withInputs<S extends FileSettings>(spec: S, { files, images }: KeptInputs, sent: SentFiles = {}): S {
  const kept = (sha256: string | undefined) => (sha256 === undefined ? undefined : sentFile(sha256, sent))
  const archiveOf = (sha256: string | undefined): Archive => {
    const archive = kept(sha256)
    return archive === undefined ? {} : { archive }
  }
  const imageOf = (image: Image, loaded: KeptInputs['images']['postgres']) =>
    loaded === undefined
      ? image
      : { ...image, archive: { ...(sent[loaded.imageId] ?? { file: ELSEWHERE }), ...loaded } }
  const program = kept(files.opa)
  const programs = Object.fromEntries(ARCHIVES.map((name) => [name, archiveOf(files[name])])) as Pick<
    FileSettings,
    (typeof ARCHIVES)[number]
  >
  return {
    ...spec,
    ...programs,
    images: {
      postgres: imageOf(spec.images.postgres, images.postgres),
      redis: imageOf(spec.images.redis, images.redis),
    },
    opa: { ...spec.opa, program },
    site: spec.site === 'none' ? 'none' : { ...spec.site, wheels: kept(files.site) },
  }
}
