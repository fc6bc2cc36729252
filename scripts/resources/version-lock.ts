/** The versions of a host, and the digest of each image and downloaded file as it was first accepted. */
import { stringify } from 'yaml'
import { HOST_PATH } from '../../contract/path.ts'
import type { GetFact } from '../core/host.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { planFile, ROOT_FILE } from '../files/file-change.ts'
import { readLockedDigests } from '../files/version-lock.ts'

/** `versions` are those of this run; `resources` say what they accept. A row stays, also when nothing uses its version any more. */
export type VersionLockOptions = Readonly<{
  notice: string
  versions: Readonly<Record<string, unknown>>
  resources: readonly Resource[]
}>

async function contentOf(getFact: GetFact, { notice, versions, resources }: VersionLockOptions): Promise<string> {
  const [locked, ...accepted] = await Promise.all([
    readLockedDigests(getFact),
    ...resources.map(async ({ accepts }) => await accepts?.(getFact)),
  ])
  const own = Object.fromEntries(accepted.flatMap((each) => (each === undefined ? [] : [[each.name, each.digest]])))
  const rows = Object.entries({ ...own, ...locked }).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `${notice}${stringify({ ...versions, digests: Object.fromEntries(rows) }, { lineWidth: 0 })}`
}

/** The file. That nothing else is under a name is for each resource to say, before anything is changed. */
export function versionLock(options: VersionLockOptions): Resource {
  const path = HOST_PATH.versions
  return {
    id: `file:${path}`,
    absent: leavesNothing('it goes with its folder'),
    plan: (getFact) => planFile(getFact, { path, ...ROOT_FILE }, contentOf(getFact, options)),
    files: async (getFact) => [{ path, content: await contentOf(getFact, options) }],
  }
}
