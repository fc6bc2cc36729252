/** The Nodes with which the launcher starts on a bare machine: of the pinned ones those that need no library, as the launcher itself takes them. */
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { parsePins } from '../artifacts/pin.ts'
import { Failure } from '../core/failure.ts'
import { downloadFile, fileDigest } from './file-download.ts'
import type { BundlePlatform } from './platform.ts'
import { type Downloader, runTool } from './tool.ts'

/** The npm packages' digests, which only the launcher reads. */
type Packages = Readonly<{
  node: readonly Readonly<{ version: string; packages?: Readonly<Record<string, string>> }>[]
}>

/** Where npm is, the package of its registry; undefined where it is not the pinned one. */
async function fromNpm(downloader: Downloader, name: string, sha256: string): Promise<string | undefined> {
  const folder = join(downloader.cache, 'files')
  const path = join(folder, sha256)
  if ((await fileDigest(path)) === sha256) return path
  await mkdir(folder, { recursive: true })
  downloader.report(`downloading ${name} with npm`)
  try {
    const words = ['npm', 'pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', folder, name] as const
    const file = (await runTool(downloader, words, 'it fetches Node')).trim().split('\n').at(-1) ?? ''
    if ((await fileDigest(join(folder, file))) !== sha256) return undefined
    await rename(join(folder, file), path)
    return path
  } catch (error) {
    if (error instanceof Failure && !downloader.interrupt.aborted) return undefined
    throw error
  }
}

/** Returns version and file of each. `versions` is the text of versions.yaml, `mirror` the setting downloads.node. */
export async function downloadLauncherNodes(
  downloader: Downloader,
  { traits }: BundlePlatform,
  versions: string,
  mirror: string | undefined,
): Promise<readonly Readonly<{ version: string; path: string }>[]> {
  const pins = parsePins(versions)
  const { node: rows } = parse(versions) as Packages
  const found: { version: string; path: string }[] = []
  for (const { version, needs, archives } of pins.node) {
    if (needs !== undefined) continue
    const packaged = rows.find((row) => row.version === version)?.packages?.[traits.platform]
    const sha256 = archives[traits.platform]
    const fromRegistry = packaged && (await fromNpm(downloader, `node-${traits.platform}@${version}`, packaged))
    const url = `${mirror ?? pins['node-download']}/v${version}/node-v${version}-${traits.platform}.tar.gz`
    const path = fromRegistry || (sha256 && (await downloadFile(downloader, url, sha256)))
    if (path) found.push({ version, path })
  }
  return found
}
