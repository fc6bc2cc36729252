/** The Python packages of the pages for a platform, each compared with its pinned hash: pip fetches them and takes what is there already. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packFolderFiles } from './plain-tar.ts'
import type { BundlePlatform } from './platform.ts'
import { type Downloader, runTool } from './tool.ts'

const MACHINES: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' }
/** What the oldest of the supported distributions can run. */
const LIBRARIES = ['manylinux2014', 'manylinux_2_17', 'manylinux_2_28'] as const

/** Writes a gzipped tar of the wheels, and returns its path. `requirements` is pip's file, with hashes. */
export async function downloadWheels(downloader: Downloader, platform: BundlePlatform, requirements: string) {
  const { python, traits } = platform
  const digest = createHash('sha256').update(requirements).digest('hex').slice(0, 12)
  const folder = join(downloader.cache, `wheels-${platform.name}-${digest}`)
  await mkdir(folder, { recursive: true })
  const list = `${folder}.txt`
  await writeFile(list, requirements)
  const abis = [`cp${python.split('.').slice(0, 2).join('')}`, 'abi3', 'none'].flatMap((abi) => ['--abi', abi])
  const machine = MACHINES[traits.debianArchitecture] ?? ''
  const fits = [...LIBRARIES.map((library) => `${library}_${machine}`), 'any'].flatMap((each) => ['--platform', each])
  const exactly = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--requirement', list]
  downloader.report('fetching the wheels of the pages')
  const pip = ['python3', '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'] as const
  const words = [...exactly, '--python-version', python, '--implementation', 'cp', ...abis, ...fits, '--dest', folder]
  await runTool(
    downloader,
    [...pip, ...words],
    'pip fetches the wheels of the pages (or site.wheels: a file, or site: none)',
  )
  const names = (await readdir(folder)).toSorted()
  const target = `${folder}.tar.gz`
  await packFolderFiles(
    names.map((name) => ({ name, path: join(folder, name) })),
    target,
    true,
  )
  return target
}
