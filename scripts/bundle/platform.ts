/** The platforms that a bundle can be for: what its files depend on of a host. */
import { usageFailure } from '../core/failure.ts'
import type { HostTraits } from '../facts/host-trait.ts'

/** `name` such as `debian-13-amd64`; `python` is the version that the distribution came with. */
export type BundlePlatform = Readonly<{ name: string; traits: HostTraits; python: string }>

type Distribution = Readonly<{ distribution: string; versionId: string; codename: string; python: string }>

const DISTRIBUTIONS: readonly Distribution[] = [
  { distribution: 'debian', versionId: '12', codename: 'bookworm', python: '3.11.2' },
  { distribution: 'debian', versionId: '13', codename: 'trixie', python: '3.13.5' },
  { distribution: 'ubuntu', versionId: '24.04', codename: 'noble', python: '3.12.3' },
  { distribution: 'ubuntu', versionId: '26.04', codename: 'resolute', python: '3.14.0' },
]

const ARCHITECTURES: Readonly<Record<string, string>> = { amd64: 'linux-x64', arm64: 'linux-arm64' }

/** Returns the name of the platform of a host. */
export function platformNameOf({ distribution, versionId, debianArchitecture }: HostTraits): string {
  return `${distribution}-${versionId}-${debianArchitecture}`
}

/** More may be packed than a host needs: apparmor, where its kernel has it. */
function traitsOf({ distribution, versionId, codename }: Distribution, architecture: string): HostTraits {
  return {
    ...{ distribution, versionId, codename, debianArchitecture: architecture },
    platform: ARCHITECTURES[architecture] ?? '',
    ...{ systemdVersion: 0, credentialStore: 'encrypted', memoryMegabytes: 0, hasAppArmor: true },
    network: { name: '', names: [], addresses: [], resolvers: [] },
  }
}

const PLATFORMS: readonly BundlePlatform[] = DISTRIBUTIONS.flatMap((each) =>
  Object.keys(ARCHITECTURES).map((architecture) => {
    const traits = traitsOf(each, architecture)
    return { name: platformNameOf(traits), traits, python: each.python }
  }),
)

/** Returns the platform of that name. Throws a usage failure that lists all. */
export function readPlatform(name: string | undefined): BundlePlatform {
  const platform = PLATFORMS.find((each) => each.name === name)
  if (platform !== undefined) return platform
  const names = PLATFORMS.map((each) => each.name).join(', ')
  const what = name === undefined ? '"bundle create" needs "--platform"' : `there is no platform "${name}"`
  throw usageFailure(`${what}: ${names}`, 'tappass bundle create --platform debian-13-amd64 --help')
}
