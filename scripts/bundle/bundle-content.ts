/** Gathers what a bundle holds: what the resources of a host would fetch, or the files that its settings name instead; the launcher's Node; the toolkit. */
import { createWriteStream } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { LocalImage, ReleaseArchive } from '../artifacts/artifact.ts'
import { measureImage } from '../artifacts/artifact-measurement.ts'
import type { FileSettings } from '../artifacts/sent-file.ts'
import type { Fetched } from '../core/resource.ts'
import type { BundleFile } from './bundle-manifest.ts'
import { downloadFile, fileDigest, publishedDigest } from './file-download.ts'
import { downloadImage } from './image-download.ts'
import { downloadLauncherNodes } from './launcher-download.ts'
import { packPackages } from './package-archive.ts'
import { downloadPackages } from './package-download.ts'
import type { BundlePlatform } from './platform.ts'
import type { Downloader } from './tool.ts'
import { downloadWheels } from './wheel-download.ts'

/**
 * `fetched` is what the resources get from elsewhere. `versions` is the text of versions.yaml, `nodeMirror` the setting downloads.node, `aptSources` a file of
 * sources for the platform.
 */
export type BundleInput = Readonly<{
  platform: BundlePlatform
  spec: FileSettings
  fetched: readonly Fetched[]
  toolkit: ReleaseArchive
  versions: string
  nodeMirror: string | undefined
  aptSources: string | undefined
}>

/** A file of the bundle, and where its bytes are. */
export type GatheredFile = Readonly<{ file: BundleFile; source: string }>

type Part = Readonly<{ path: string; setting: string; source: string; image?: LocalImage }>

function ofKind<K extends Fetched['kind']>(fetched: readonly Fetched[], kind: K) {
  return fetched.filter((each): each is Extract<Fetched, Readonly<{ kind: K }>> => each.kind === kind)
}

/** The launcher finds Node by its version. */
function pathOf(setting: string, version: string): string {
  if (setting === 'node') return `node/${version}.tar.gz`
  return setting === 'opa' ? 'programs/opa' : `programs/${setting}`
}

const PROGRAMS = ['node', 'caddy', 'cloudflared', 'spire', 'spiffeHelper'] as const

async function programs(
  downloader: Downloader,
  { spec, fetched }: BundleInput,
  version: string,
): Promise<readonly Part[]> {
  const given = [
    ...PROGRAMS.map((setting) => [setting, spec[setting].archive?.file] as const),
    ['opa', spec.opa.program?.file] as const,
  ]
  const parts: Part[] = []
  for (const [setting, source] of given)
    if (source !== undefined) parts.push({ path: pathOf(setting, version), setting, source })
  for (const each of ofKind(fetched, 'file')) {
    const sha256 = 'sha256' in each ? each.sha256 : await publishedDigest(downloader, each.sha256Url)
    const source = await downloadFile(downloader, each.url, sha256)
    parts.push({ path: pathOf(each.setting, version), setting: each.setting, source })
  }
  return parts
}

async function images(downloader: Downloader, { platform, spec, fetched }: BundleInput): Promise<readonly Part[]> {
  const sources = new Map<string, string>()
  for (const [name, { archive }] of Object.entries(spec.images))
    if (archive !== undefined) sources.set(`images.${name}`, archive.file)
  for (const each of ofKind(fetched, 'image'))
    sources.set(each.setting, await downloadImage(downloader, platform, each))
  const parts: Part[] = []
  for (const [setting, source] of sources)
    parts.push({ path: `${setting.replace('.', '/')}.tar`, setting, source, image: await measureImage(source) })
  return parts
}

async function packages(downloader: Downloader, input: BundleInput): Promise<readonly Part[]> {
  const { platform, fetched, aptSources } = input
  const sources = { given: aptSources, repositories: ofKind(fetched, 'repository') }
  const groups = await downloadPackages(downloader, platform, ofKind(fetched, 'packages'), sources)
  const folder = join(downloader.cache, 'packages', platform.name)
  await mkdir(folder, { recursive: true })
  const parts: Part[] = []
  for (const [id, files] of groups) {
    const source = join(folder, `${id}.tar`)
    await packPackages(downloader, files, source)
    parts.push({ path: `packages/${id}.tar`, setting: `packages.${id}`, source })
  }
  return parts
}

async function wheels(downloader: Downloader, { platform, spec, fetched }: BundleInput): Promise<readonly Part[]> {
  const [path, setting] = ['site/wheels.tar.gz', 'site']
  const given = spec.site === 'none' ? undefined : spec.site.wheels
  if (given !== undefined) return [{ path, setting, source: given.file }]
  const [needed] = ofKind(fetched, 'wheels')
  if (needed === undefined) return []
  return [{ path, setting, source: await downloadWheels(downloader, platform, needed.requirements) }]
}

async function toolkitPart({ cache }: Downloader, toolkit: ReleaseArchive): Promise<Part> {
  const source = join(cache, 'tappass.tar.gz')
  await pipeline(Readable.from(toolkit.open()), createWriteStream(source))
  return { path: 'tappass.tar.gz', setting: 'toolkit', source }
}

async function measured({ source, image, ...named }: Part): Promise<GatheredFile> {
  const { size } = await stat(source)
  const content = image === undefined ? {} : { imageId: image.imageId, layers: image.layers }
  return { file: { ...named, bytes: size, sha256: (await fileDigest(source)) ?? '', ...content }, source }
}

/** Gathers the files, in the order of the bundle. `nodeVersion` is the pinned one that hosts run. Throws a `Failure` for what can't be had. */
export async function gatherFiles(
  downloader: Downloader,
  input: BundleInput,
  nodeVersion: string,
): Promise<readonly GatheredFile[]> {
  await mkdir(downloader.cache, { recursive: true })
  const launcher = await downloadLauncherNodes(downloader, input.platform, input.versions, input.nodeMirror)
  const nodes = launcher.map(({ version, path }) => ({
    path: pathOf('node', version),
    setting: 'launcher',
    source: path,
  }))
  const parts = [
    ...nodes,
    await toolkitPart(downloader, input.toolkit),
    ...(await programs(downloader, input, nodeVersion)),
    ...(await images(downloader, input)),
    ...(await wheels(downloader, input)),
    ...(await packages(downloader, input)),
  ]
  const files: GatheredFile[] = []
  for (const part of parts) files.push(await measured(part))
  return files
}
