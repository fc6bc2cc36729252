/** Container images in Docker's store. */
import type { Fact, Joint } from '../core/host.ts'

/** `id` is Docker's; `layers` the digests of the unpacked layers. Undefined where there is no such image, no Docker, or it is not running. */
export type ImageState = Readonly<{ id: string; layers: readonly string[] }> | undefined

type Inspected = Readonly<{
  id: string
  tags: readonly string[] | null
  digests: readonly string[] | null
  layers: readonly string[] | null
}>

const FORMAT =
  '{"id":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}},"layers":{{json .RootFS.Layers}}}'

/** `name:tag@sha256:…` is known to Docker by `name@sha256:…`. */
function namesOf(reference: string): readonly string[] {
  const [tagged = '', digest] = reference.split('@')
  return digest === undefined ? [tagged] : [`${tagged.replace(/:[^/:]+$/, '')}@${digest}`]
}

const inspect: Joint = {
  ask: (references) => ({
    argv: ['docker', 'image', 'inspect', '--format', FORMAT, '--', ...references.flatMap(namesOf)],
    effect: 'read',
  }),
  split: (answer, references) => {
    const rows = answer.stdout.split('\n').filter((row) => row.startsWith('{'))
    const images = rows.map((row) => ({ row, image: JSON.parse(row) as Inspected }))
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

/** The image of that reference (`name:tag` or `name:tag@sha256:digest`). */
export function imageFact(reference: string): Fact<ImageState> {
  return {
    ask: inspect.ask([reference]),
    joint: inspect,
    subject: reference,
    parse: ({ code, stdout }) => {
      if (code !== 0 || !stdout.startsWith('{')) return undefined
      const { id, layers } = JSON.parse(stdout) as Inspected
      return { id, layers: layers ?? [] }
    },
  }
}
