/** A container image in Docker's image store. */

import { type LocalImage, nameOf, openFile } from '../artifacts/artifact.ts'
import { runnableImage } from '../artifacts/image-reference.ts'
import { changeCommand, within } from '../core/command.ts'
import type { Accepted, Resource } from '../core/resource.ts'
import { type ImageState, imageFact } from '../facts/image.ts'
import { madeRecordFact, recordMadeCommand } from '../facts/made-record.ts'
import { assertReachable } from '../facts/reachability.ts'
import { REMOVAL_REASON } from '../files/removal.ts'
import { assertAccepted, readLockedDigests } from '../files/version-lock.ts'

/**
 * `reference` is `name:tag@sha256:digest`; with `archive` that file is loaded instead of pulling. `runnableImage` returns the name to run.
 * `setting`: the one that names a file. `registry`: where it is pulled from when no proxy is on the way, and the settings that fetch it from elsewhere.
 */
export type ImageOptions = Readonly<{
  reference: string
  setting: string
  archive?: LocalImage
  registry?: Readonly<{ url: string; remedy: string }> | undefined
}>

/** With Docker's containerd store the id of an image is that of its manifest, so the layers are compared too. */
function isFrom(archive: LocalImage, state: NonNullable<ImageState>): boolean {
  return state.id === archive.imageId || state.layers.join() === archive.layers.join()
}

/** Some hundred megabytes over a slow line. */
const TRANSFER_MINUTES = 90

/** A file has no digest of a registry, so it is locked under a name of its own. Without a tag there is no version. */
function acceptedFrom({ reference, archive }: ImageOptions): Accepted | undefined {
  const [tagged = '', digest] = reference.split('@')
  if (archive !== undefined) return { name: `${tagged} (from a file)`, digest: archive.imageId }
  const hasTag = /:[^/:]+$/.test(tagged)
  return digest === undefined || !hasTag ? undefined : { name: tagged, digest }
}

/** The name without its tag and digest. */
function repositoryOf(reference: string): string {
  return (reference.split('@')[0] ?? '').replace(/:[^/:]+$/, '')
}

/** The image: pulled by digest, or loaded from an archive and compared with it. */
export function image({ reference, setting, archive, registry }: ImageOptions): Resource {
  const name = runnableImage(reference, archive)
  const accepted = acceptedFrom({ reference, setting, ...(archive && { archive }) })
  return {
    id: `image:${name}`,
    accepts: async () => accepted,
    fetches: async () => (archive === undefined ? [{ kind: 'image', setting, reference }] : []),
    absent: async (getFact) => {
      // Those of earlier releases, too.
      const recorded = (await getFact(madeRecordFact)).all('image')
      const names = recorded.filter((each) => repositoryOf(each) === repositoryOf(name))
      const states = await Promise.all(names.map((each) => getFact(imageFact(each))))
      return names
        .filter((_, index) => states[index] !== undefined)
        .map((each) => ({
          action: `remove the image ${each}`,
          reason: REMOVAL_REASON,
          commands: [within(TRANSFER_MINUTES, changeCommand('docker', 'image', 'rm', each))] as const,
        }))
    },
    plan: async (getFact) => {
      const [state, digests] = await Promise.all([getFact(imageFact(name)), readLockedDigests(getFact)])
      if (accepted !== undefined) assertAccepted(digests, accepted)
      if (archive === undefined) {
        if (state !== undefined) return []
        if (registry !== undefined) await assertReachable(getFact, registry.url, registry.remedy)
        const pull = within(TRANSFER_MINUTES, changeCommand('docker', 'pull', '--quiet', name))
        const commands = [recordMadeCommand('image', name), pull] as const
        return [{ action: `pull ${reference}`, reason: 'it is not in Docker’s image store', commands }]
      }
      if (state !== undefined && isFrom(archive, state)) return []
      const stdin = openFile(archive, archive.imageId)
      const load = within(TRANSFER_MINUTES, { argv: ['docker', 'load', '--quiet'], effect: 'change', stdin })
      const reason =
        state === undefined ? 'it is not in Docker’s image store' : `${name} in Docker’s image store is another image`
      return [
        {
          action: `load ${name} from ${nameOf(archive)}`,
          reason,
          commands: state === undefined ? [recordMadeCommand('image', name), load] : [load],
        },
      ]
    },
  }
}
