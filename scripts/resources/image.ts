/** A container image in Docker's store. */

import { type LocalImage, openFile } from '../artifacts/artifact.ts'
import { runnableImage } from '../artifacts/image-reference.ts'
import { change } from '../core/command.ts'
import type { Resource } from '../core/resource.ts'
import { type ImageState, imageFact } from '../facts/image.ts'

/** `reference` is `name:tag@sha256:digest`; with `archive` that file is loaded instead of pulling. `runnableImage` gives the name to run. */
export type ImageOptions = Readonly<{ reference: string; archive?: LocalImage }>

/** With Docker's containerd store an image's id is that of its manifest, so the layers are compared as well. */
function isFrom(archive: LocalImage, state: NonNullable<ImageState>): boolean {
  return state.id === archive.imageId || state.layers.join() === archive.layers.join()
}

/** Pulled by digest, or sent and loaded; a loaded image is compared with the archive. */
export function image({ reference, archive }: ImageOptions): Resource {
  const name = runnableImage(reference, archive)
  return {
    id: `image:${name}`,
    plan: async (know) => {
      const state = await know(imageFact(name))
      if (archive === undefined) {
        if (state !== undefined) return []
        const commands = [change('docker', 'pull', '--quiet', name)] as const
        return [{ does: `pull ${reference}`, because: 'it is not in the store', commands }]
      }
      if (state !== undefined && isFrom(archive, state)) return []
      const load = { argv: ['docker', 'load', '--quiet'], effect: 'change', stdin: openFile(archive.file) } as const
      const because = state === undefined ? 'it is not in the store' : `${name} in the store is another image`
      return [{ does: `load ${name} from ${archive.file}`, because, commands: [load] }]
    },
  }
}
