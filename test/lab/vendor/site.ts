/** What the lab host answers in the place of vendors: a map of addresses to files, made from the lab's own artifacts. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { imageNames } from '../image.ts'
import { readPins } from '../pin.ts'
import { ensureCaddyArchive, ensureNodeArchive, ensureOpaRelease } from '../program.ts'
import { ensureWheelIndex } from '../wheel.ts'
import { type DockerRepository, ensureDockerRepository } from './docker-repository.ts'
import { packageIndex, type VendorName } from './name.ts'
import { type Blob, ensureRegistryImage, type RegistryImage } from './registry.ts'

/** A file that is sent; `digest` is of documents of a registry. */
export type Page = Readonly<{ path: string; type: string; digest?: string }>

/** By `name/path`, without scheme or query. What has a `redirect` is elsewhere, as with the vendor. */
export type Site = Readonly<{ pages: Readonly<Record<string, Page>>; redirects: Readonly<Record<string, string>> }>

type Rows<T> = readonly (readonly [address: string, value: T])[]
type Address = `${VendorName}/${string}`

const binary = 'application/octet-stream'

async function repositoryPages({ folder }: DockerRepository): Promise<Rows<Page>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const address: Address = `download.docker.com/linux/debian${path.slice(folder.length)}`
      return [address, { path, type: binary }] as const
    })
}

/** Docker Hub sends documents itself, and sends on for what they name. */
function imageRows(image: RegistryImage, repository: string): Readonly<{ pages: Rows<Page>; redirects: Rows<string> }> {
  const registry: Address = `registry-1.docker.io/v2/${repository}`
  const placeOf = ({ digest }: Blob): Address =>
    `production.cloudflare.docker.com/registry-v2/docker/registry/v2/blobs/${digest.replace(':', '/')}/data`
  return {
    pages: [
      ...image.documents.map(
        ({ digest, path, mediaType }) =>
          [`${registry}/manifests/${digest}`, { path, type: mediaType, digest }] as const,
      ),
      ...image.blobs.map((blob) => [placeOf(blob), { path: blob.path, type: binary }] as const),
    ],
    redirects: image.blobs.map((blob) => [`${registry}/blobs/${blob.digest}`, `https://${placeOf(blob)}`] as const),
  }
}

async function nodePages(): Promise<Rows<Page>> {
  const { node } = await readPins()
  const rows: [Address, Page][] = []
  for (const pin of node) {
    const path = await ensureNodeArchive(pin)
    const name = `node-v${pin.version}-linux-x64.tar.gz`
    rows.push([`nodejs.org/dist/v${pin.version}/${name}`, { path, type: binary }])
  }
  return rows
}

/** The program and the file with its digest: both are elsewhere, as with the vendor. */
async function opaRows(): Promise<Readonly<{ pages: Rows<Page>; redirects: Rows<string> }>> {
  const [{ opa }, { program, digest }] = await Promise.all([readPins(), ensureOpaRelease()])
  const files = [
    ['opa_linux_amd64_static', program],
    ['opa_linux_amd64_static.sha256', digest],
  ] as const
  const placeOf = (name: string): Address => `release-assets.githubusercontent.com/opa/v${opa.version}/${name}`
  const release: Address = `github.com/open-policy-agent/opa/releases/download/v${opa.version}`
  return {
    pages: files.map(([name, path]) => [placeOf(name), { path, type: binary }]),
    redirects: files.map(([name]) => [`${release}/${name}`, `https://${placeOf(name)}`]),
  }
}

async function wheelPages(): Promise<Rows<Page>> {
  const typeOf = (address: string) => (address.endsWith('/') ? 'text/html' : binary)
  return [...(await ensureWheelIndex(packageIndex))].map(([address, path]) => [
    address,
    { path, type: typeOf(address) },
  ])
}

/** Gives the site; what it is made from is built first where it is missing. */
export async function ensureSite(): Promise<Site> {
  const { caddy } = await readPins()
  const images = []
  for (const name of imageNames) images.push(imageRows(await ensureRegistryImage(name), `library/${name}`))
  const opa = await opaRows()
  const file = `v${caddy.version}/caddy_${caddy.version}_linux_amd64.tar.gz`
  const assets: Address = `release-assets.githubusercontent.com/caddy/${file}`
  const release: Address = `github.com/caddyserver/caddy/releases/download/${file}`
  const pages: Rows<Page> = [
    ...(await nodePages()),
    ...(await wheelPages()),
    [assets, { path: await ensureCaddyArchive(), type: binary }],
    ...opa.pages,
    ...(await repositoryPages(await ensureDockerRepository())),
    ...images.flatMap((each) => each.pages),
  ]
  const redirects: Rows<string> = [
    [release, `https://${assets}`],
    ...opa.redirects,
    ...images.flatMap((each) => each.redirects),
  ]
  return { pages: Object.fromEntries(pages), redirects: Object.fromEntries(redirects) }
}
