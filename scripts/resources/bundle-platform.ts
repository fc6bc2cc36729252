/** That the host is of the platform that a bundle was made for. */
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'

/** Never a change: a `Failure` (exit 5) on a host of another platform. `platform` such as `debian-13-amd64`. */
export function bundlePlatform(platform: string): Resource {
  return {
    id: `bundle-platform:${platform}`,
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const { distribution, versionId, debianArchitecture } = await getFact(hostTraitsFact)
      const found = `${distribution}-${versionId}-${debianArchitecture}`
      if (found === platform) return []
      const next = `tappass bundle create --platform ${found} --help`
      throw refusedFailure(
        'the bundle is for another platform',
        `it is for ${platform}, and this host is ${found}`,
        next,
      )
    },
  }
}
