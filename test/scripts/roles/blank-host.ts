/** A host on which nothing is there yet, for tests: every question gets the answer of a bare machine of the given system. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GetFact, Output } from '../../../scripts/core/host.ts'
import type { Change, Resource } from '../../../scripts/core/resource.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { type HostSpec, parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { wantsSite } from '../../../scripts/spec/site-spec.ts'

const root = join(import.meta.dirname, '../../..')

/** Gives a file of this repository. */
export const text = (path: string): string => readFileSync(join(root, path), 'utf8')

/** What a person wrote, with a release and without archives or secrets of the operator. */
export const specOf = (written: unknown = {}): HostSpec => {
  const { images, node, caddy, cloudflared, opa, spire, spiffeHelper, site, ...rest } = parseHostSpec(
    written,
    'the test',
  )
  const release = { version: '0.0.0-000000000000', manifest: '', open: async function* () {} }
  const byReference = ({ reference }: Readonly<{ reference?: string | undefined }>) =>
    reference === undefined ? {} : { reference }
  const pulled = { postgres: byReference(images.postgres), redis: byReference(images.redis) }
  const pages = { ...release, requirements: '' }
  const built = wantsSite({ ...rest, site }) ? { pages } : ('none' as const)
  const programs = { node: {}, caddy: {}, cloudflared: {}, opa: {}, spire: {}, spiffeHelper: {} }
  return { ...rest, images: pulled, ...programs, site: built, release, secrets: {} }
}

/** The systems that are supported, each with what it says of itself. */
export const systems = [
  { id: 'ubuntu', codename: 'resolute', version: '26.04', systemd: 259, hasCredentials: true },
  { id: 'ubuntu', codename: 'noble', version: '24.04', systemd: 255, hasCredentials: true },
  { id: 'debian', codename: 'bookworm', version: '12', systemd: 252, hasCredentials: true },
  { id: 'debian', codename: 'trixie', version: '13', systemd: 257, hasCredentials: true },
  { id: 'debian', codename: 'trixie', version: '13', systemd: 257, hasCredentials: false },
] as const

/** Answers as that system does when all else is missing. */
export const blank = (system: (typeof systems)[number]): GetFact => {
  const release = `ID=${system.id}\nVERSION_CODENAME=${system.codename}\nVERSION_ID="${system.version}"`
  const traits = `${release}\n\nMACHINE=x86_64\nSYSTEMD=${system.systemd}\n${system.hasCredentials ? 'CREDS=1\n' : ''}`
  return async (fact) => {
    const isTraits = (fact as unknown) === hostTraitsFact
    const output: Output = { code: isTraits ? 0 : 1, stdout: isTraits ? traits : '', stderr: '' }
    return fact.parse(output)
  }
}

/** All changes that the resources want on a blank host, in order. */
export const planAll = async (resources: readonly Resource[], getFact: GetFact): Promise<readonly Change[]> =>
  (await Promise.all(resources.map((resource) => resource.plan(getFact)))).flat()

/** The texts that the changes would write, by path; no secrets. */
export const writtenBy = (changes: readonly Change[]): ReadonlyMap<string, string> =>
  new Map(
    changes.flatMap(({ commands }) =>
      commands.flatMap(({ argv: [, , , , candidate], stdin, isSecret }) => {
        // A candidate is written first, and renamed later.
        const path = commands.find(({ argv }) => argv[2]?.includes('mv -fT') && argv[4] === candidate)?.argv[5]
        return typeof stdin === 'string' && path !== undefined && isSecret !== true ? [[path, stdin] as const] : []
      }),
    ),
  )
