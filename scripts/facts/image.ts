/** Facts about container images in Docker's image store. */
import type { BatchQuery, Fact } from '../core/host.ts'

/** `id` is Docker's image id; `layers` are the digests of the unpacked layers. Undefined: no such image, no Docker, or Docker is not running. */
export type ImageState = Readonly<{ id: string; layers: readonly string[] }> | undefined

type InspectedImage = Readonly<{
  id: string
  tags: readonly string[] | null
  digests: readonly string[] | null
  layers: readonly string[] | null
}>

const FORMAT =
  '{"id":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}},"layers":{{json .RootFS.Layers}}}'

/** Docker lists `name:tag@sha256:…` as `name@sha256:…`. */
function namesOf(reference: string): readonly string[] {
  const [tagged = '', digest] = reference.split('@')
  return digest === undefined ? [tagged] : [`${tagged.replace(/:[^/:]+$/, '')}@${digest}`]
}

const inspectQuery: BatchQuery = {
  query: (references) => ({
    argv: ['docker', 'image', 'inspect', '--format', FORMAT, '--', ...references.flatMap(namesOf)],
    effect: 'read',
    isLong: true,
  }),
  split: (output, references) => {
    const rows = output.stdout.split('\n').filter((row) => row.startsWith('{'))
    const images = rows.map((row) => ({ row, image: JSON.parse(row) as InspectedImage }))
    const find = (reference: string) =>
      images.find(({ image }) =>
        namesOf(reference).some((name) => image.tags?.includes(name) || image.digests?.includes(name)),
      )
    return new Map(
      references.flatMap((reference) => {
        const found = find(reference)
        return found === undefined ? [] : [[reference, { code: 0, stdout: found.row, stderr: '' }] as const]
      }),
    )
  },
}

/** The image with that reference (`name:tag` or `name:tag@sha256:digest`). */
export function imageFact(reference: string): Fact<ImageState> {
  return {
    query: inspectQuery.query([reference]),
    batchQuery: inspectQuery,
    subject: reference,
    parse: ({ code, stdout }) => {
      if (code !== 0 || !stdout.startsWith('{')) return undefined
      const { id, layers } = JSON.parse(stdout) as InspectedImage
      return { id, layers: layers ?? [] }
    },
  }
}
