/**
 * The software bill of materials (SBOM) of a release, in CycloneDX 1.5: what npm's own client says of the locked production dependencies,
 * and what `versions.yaml` pins beside them. A process of its own: `node scripts/artifacts/sbom.ts >sbom.cdx.json`. The same files give the
 * same bytes: it has no time and no serial number.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type IdentityProgram, identityArchives } from './identity-archive.ts'
import { type Pins, parsePins } from './pin.ts'
import { imageVersion } from './version-floor.ts'

type Hash = Readonly<{ alg: string; content: string }>

type Component = Readonly<{
  'bom-ref': string
  type: string
  name: string
  version: string
  purl: string
  scope: string
  hashes?: readonly Hash[]
  externalReferences?: readonly Readonly<{ type: string; url: string; hashes: readonly Hash[] }>[]
}>

/** What is read and changed of a document of CycloneDX; all else of it stays. */
export type Sbom = Readonly<{
  serialNumber?: string
  metadata: Readonly<{ timestamp?: string; component: Readonly<{ 'bom-ref': string }> }>
  components: readonly Readonly<{ 'bom-ref': string }>[]
  dependencies: readonly Readonly<{ ref: string; dependsOn?: readonly string[] }>[]
}>

/** `archives` are checksums by the URL that each is downloaded from. */
function component(purl: string, scope: string, rest: Pick<Component, 'type' | 'name' | 'version'>): Component {
  return { 'bom-ref': purl, purl, scope, ...rest }
}

function downloaded(base: Component, archives: readonly (readonly [url: string, sha256: string])[]): Component {
  const externalReferences = archives.map(([url, content]) => ({
    ...{ type: 'distribution', url },
    hashes: [{ alg: 'SHA-256', content }],
  }))
  return { ...base, externalReferences }
}

function nodeComponent(pin: Pins['node'][number], site: string): Component {
  const { version } = pin
  const archives = Object.entries(pin.archives).map(
    ([platform, sha256]) => [`${site}/v${version}/node-v${version}-${platform}.tar.gz`, sha256] as const,
  )
  const base = component(`pkg:generic/node@${version}`, 'required', { type: 'application', name: 'node', version })
  return downloaded(base, archives)
}

function imageComponent(name: string, reference: string): Component {
  const [, tag = '', digest = ''] = /:([^@]+)@sha256:([0-9a-f]{64})$/.exec(reference) ?? []
  const purl = `pkg:oci/${name}@sha256%3A${digest}?repository_url=docker.io%2Flibrary%2F${name}&tag=${tag}`
  const rest = { type: 'container', name, version: imageVersion(reference) }
  return { ...component(purl, 'required', rest), hashes: [{ alg: 'SHA-256', content: digest }] }
}

/** An image of Compose alone: one that the gateway's own is built from, or what stands in front of it. */
function baseComponent(reference: string, scope: 'optional' | 'excluded'): Component {
  const [, path = '', tag = '', digest = ''] = /^([^:@]+):([^@]+)@sha256:([0-9a-f]{64})$/.exec(reference) ?? []
  const name = path.slice(path.lastIndexOf('/') + 1)
  const repository = path.includes('.') ? path : `docker.io/${path.includes('/') ? path : `library/${path}`}`
  const purl = `pkg:oci/${name}@sha256%3A${digest}?repository_url=${encodeURIComponent(repository)}&tag=${tag}`
  const rest = { type: 'container', name, version: tag }
  return { ...component(purl, scope, rest), hashes: [{ alg: 'SHA-256', content: digest }] }
}

function caddyComponent({ version, download, archives }: Pins['caddy']): Component {
  const files = Object.entries(archives).map(([platform, sha256]) => {
    const file = `caddy_${version}_${platform.replace('-x64', '_amd64').replace('-arm64', '_arm64')}.tar.gz`
    return [`${download}/v${version}/${file}`, sha256] as const
  })
  const rest = { type: 'application', name: 'caddy', version }
  return downloaded(component(`pkg:github/caddyserver/caddy@v${version}`, 'required', rest), files)
}

function cloudflaredComponent({ version, download, archives }: Pins['cloudflared']): Component {
  const files = Object.entries(archives).map(
    ([platform, sha256]) =>
      [`${download}/${version}/cloudflared-${platform.replace('-x64', '-amd64')}`, sha256] as const,
  )
  const rest = { type: 'application', name: 'cloudflared', version }
  return downloaded(component(`pkg:github/cloudflare/cloudflared@${version}`, 'optional', rest), files)
}

function identityComponent(name: IdentityProgram, pins: Pins): Component {
  const { version } = pins[name]
  const files = identityArchives(pins, name).map(({ url, sha256 }) => [url, sha256] as const)
  const rest = { type: 'application', name, version }
  return downloaded(component(`pkg:github/spiffe/${name}@v${version}`, 'optional', rest), files)
}

/**
 * Returns the components of the pins: Node, images, Caddy, cloudflared (where a host has a tunnel), SPIRE and spiffe-helper (where it has
 * identities), the base of the gateway's image and what stands in front of it (where they are containers), and what is not shipped: the image that one is built in, and OPA, which compiles the policy.
 */
export function pinnedComponents(pins: Pins): readonly Component[] {
  const { version } = pins.opa
  const opa = { type: 'application', name: 'opa', version }
  return [
    ...pins.node.map((pin) => nodeComponent(pin, pins['node-download'])),
    ...Object.entries(pins.images).map(([name, { reference }]) => imageComponent(name, reference)),
    baseComponent(pins.containers.runtime.reference, 'optional'),
    baseComponent(pins.containers.caddy.reference, 'optional'),
    baseComponent(pins.containers.cloudflared.reference, 'optional'),
    baseComponent(pins.containers.build.reference, 'excluded'),
    caddyComponent(pins.caddy),
    cloudflaredComponent(pins.cloudflared),
    identityComponent('spire', pins),
    identityComponent('spiffe-helper', pins),
    component(`pkg:golang/github.com/open-policy-agent/opa@v${version}`, 'excluded', opa),
  ]
}

type Lock = Readonly<{
  packages: Readonly<Record<string, Readonly<{ version?: string; dev?: true; devOptional?: true; optional?: true }>>>
}>

/** Returns `name@version` of what a release has of the packages: neither those for development nor those that are never built. */
export function productionPackages({ packages }: Lock): ReadonlySet<string> {
  return new Set(
    Object.entries(packages)
      .filter(([path, { dev, devOptional, optional }]) => path !== '' && !(dev || devOptional || optional))
      .map(
        ([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`,
      ),
  )
}

/**
 * Returns the document of npm's client with what a release has of it, the pins beside the packages, `name` as the name of the whole, and
 * nothing that changes by itself.
 */
export function completeSbom(sbom: Sbom, lock: Lock, pins: Pins, name: string): Sbom {
  const { serialNumber: _, ...document } = sbom
  const { timestamp: __, ...metadata } = sbom.metadata
  const root = metadata.component['bom-ref']
  const added = pinnedComponents(pins)
  const refs = added.map((each) => each['bom-ref'])
  const shipped = productionPackages(lock)
  const dependencies = sbom.dependencies
    .filter(({ ref }) => ref === root || shipped.has(ref))
    .map(({ ref, dependsOn = [] }) => {
      const packages = dependsOn.filter((each) => shipped.has(each))
      return { ref, dependsOn: ref === root ? [...packages, ...refs] : packages }
    })
  return {
    ...document,
    metadata: { ...metadata, component: { ...metadata.component, ...{ type: 'application', name } } },
    components: [...sbom.components.filter((each) => shipped.has(each['bom-ref'])), ...added],
    dependencies: [...dependencies, ...refs.map((ref) => ({ ref, dependsOn: [] }))],
  }
}

/** Asks npm's client for the packages of the clone in `root`. */
export function createSbom(root: string): Sbom {
  // Not with --omit dev: npm 11 then leaves out what both kinds of dependencies need (pg-protocol, which @types/pg names too).
  const format = ['--package-lock-only', '--sbom-format', 'cyclonedx']
  const output = execFileSync('npm', ['sbom', '--ignore-scripts', ...format], { cwd: root, encoding: 'utf8' })
  const packages = JSON.parse(output) as Sbom
  const read = (path: string) => readFileSync(join(root, path), 'utf8')
  const { name } = JSON.parse(read('package.json')) as { name: string }
  return completeSbom(packages, JSON.parse(read('package-lock.json')), parsePins(read('versions.yaml')), name)
}

if (import.meta.main) {
  process.stdout.write(`${JSON.stringify(createSbom(join(import.meta.dirname, '../..')), null, 2)}\n`)
}
