/** What a run takes from a bundle in place of everything that it would fetch. */
import type { LocalFile, LocalImage } from '../artifacts/artifact.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import type { Bundle } from './bundle-file.ts'

/** `fileOf` and `imageOf` return what stands for a setting; `packages` are tars of packages with their index, by the resource that installs them. */
export type OfflineSource = Readonly<{
  platform: string
  packages: Readonly<Record<string, LocalFile>>
  fileOf: (setting: string) => LocalFile | undefined
  imageOf: (setting: string) => LocalImage | undefined
}>

const PACKAGES = 'packages.'

/** Returns what a bundle has. */
export function offlineSource({ path, manifest, partOf }: Bundle): OfflineSource {
  const localOf = (file: (typeof manifest.files)[number]): LocalFile => ({
    ...{ file: path, sha256: file.sha256, part: partOf(file) },
  })
  const find = (setting: string) => manifest.files.find((each) => each.setting === setting)
  const packages = manifest.files
    .filter(({ setting }) => setting.startsWith(PACKAGES))
    .map((file) => [file.setting.slice(PACKAGES.length), localOf(file)] as const)
  return {
    platform: manifest.platform,
    packages: Object.fromEntries(packages),
    fileOf: (setting) => {
      const file = find(setting)
      return file && localOf(file)
    },
    imageOf: (setting) => {
      const file = find(setting)
      if (file?.imageId === undefined || file.layers === undefined) return undefined
      return { ...localOf(file), imageId: file.imageId, layers: file.layers }
    },
  }
}

/** Throws a `Failure` (exit 5) for a bundle of another release than `release`, or of other pages' requirements. */
export function assertOfRelease({ path, manifest }: Bundle, release: string, requirements: string | undefined): void {
  const next =
    'use the toolkit that is in the bundle (docs/how-to/bundle.md), or make one with this: tappass bundle create --help'
  if (manifest.release !== release)
    throw refusedFailure(`${path} is of another release`, `it is of ${manifest.release}, and this is ${release}`, next)
  if (requirements !== undefined && manifest.requirements !== sha256Of(requirements))
    throw refusedFailure(
      `${path} is of other pages`,
      'docs/requirements.txt is another one than it was made with',
      next,
    )
}

/** Returns the resource as it is planned without a network: what it would fetch is refused before anything is changed. */
export function withoutNetwork(resource: Resource): Resource {
  const { fetches } = resource
  if (fetches === undefined) return resource
  return {
    ...resource,
    plan: async (getFact) => {
      // The source of packages is written and not asked.
      const [fetched] = (await fetches(getFact)).filter(({ kind }) => kind !== 'repository')
      const changes = await resource.plan(getFact)
      if (fetched === undefined || changes.length === 0) return changes
      throw refusedFailure(
        `the bundle has nothing for ${resource.id}`,
        changes.map(({ reason }) => reason).join('; '),
        'make it with the settings of this host: tappass bundle create --config FILE',
      )
    },
  }
}
