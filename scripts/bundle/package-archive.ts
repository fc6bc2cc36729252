/** Packages and their index as one tar, from which apt installs on the host without asking anybody. */
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileDigest } from './file-download.ts'
import type { PackageFile } from './package-download.ts'
import { packFolderFiles } from './plain-tar.ts'
import { type Downloader, runTool } from './tool.ts'

const NEED = 'it reads the packages of the bundle'

async function stanzaOf(downloader: Downloader, { name, path }: PackageFile): Promise<string> {
  const control = await runTool(downloader, ['dpkg-deb', '--field', path], NEED)
  const { size } = await stat(path)
  return `${control.trimEnd()}\nFilename: ./${name}\nSize: ${size}\nSHA256: ${await fileDigest(path)}\n`
}

/** Writes the tar to `target`: an index `Packages`, and each package under its name. */
export async function packPackages(
  downloader: Downloader,
  files: readonly PackageFile[],
  target: string,
): Promise<void> {
  const sorted = files.toSorted((one, other) => (one.name < other.name ? -1 : 1))
  const stanzas: string[] = []
  for (const file of sorted) stanzas.push(await stanzaOf(downloader, file))
  const index = join(downloader.cache, 'Packages')
  await writeFile(index, stanzas.join('\n'))
  await packFolderFiles([{ name: 'Packages', path: index }, ...sorted], target)
}
