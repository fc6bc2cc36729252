/** The wheels that build the documentation on a machine (Debian 13's Python), as docs/requirements.txt pins them. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileDigest, packGzip } from './archive.ts'
import { demand } from './execution.ts'
import { buildOnce } from './keyed-folder.ts'
import { cachePath } from './setting.ts'

const requirements = join(import.meta.dirname, '../../docs/requirements.txt')
const python = [
  '--python-version',
  '3.13',
  '--implementation',
  'cp',
  '--abi',
  'cp313',
  '--abi',
  'abi3',
  '--abi',
  'none',
]
const platforms = ['manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux_2_28_x86_64', 'any']

/** Gives the folder with all wheels (about 7 s the first time). Its name has the digest of the requirements. */
export async function ensureWheels(): Promise<string> {
  const digest = (await fileDigest(requirements)).slice(0, 12)
  return buildOnce(cachePath('programs', `wheels-${digest}`), async (target) => {
    await mkdir(target, { recursive: true })
    const exactly = ['--no-deps', '--require-hashes', '--only-binary', ':all:', '--requirement', requirements]
    const fits = [...python, ...platforms.flatMap((platform) => ['--platform', platform])]
    await demand(['pip', 'download', '--quiet', ...exactly, ...fits, '--dest', target])
  })
}

/** Gives the path of all wheels as one archive, as `site.wheels` takes it. */
export async function ensureWheelArchive(): Promise<string> {
  const wheels = await ensureWheels()
  return buildOnce(`${wheels}.tar.gz`, (target) => packGzip(wheels, ['.'], target))
}

/** A page of a package index (PEP 503), and the wheels that it names, by their addresses below `root`. */
export async function ensureWheelIndex(root: string): Promise<ReadonlyMap<string, string>> {
  const wheels = await ensureWheels()
  const files = await readdir(wheels)
  const folder = await buildOnce(`${wheels}-index`, async (target) => {
    await mkdir(target, { recursive: true })
    for (const file of files) {
      const link = `<a href="https://${root}/files/${file}#sha256=${await fileDigest(join(wheels, file))}">${file}</a>`
      await writeFile(join(target, projectOf(file)), `<!DOCTYPE html><html><body>${link}</body></html>\n`)
    }
  })
  return new Map(
    files.flatMap((file) => [
      [`${root}/simple/${projectOf(file)}/`, join(folder, projectOf(file))] as const,
      [`${root}/files/${file}`, join(wheels, file)] as const,
    ]),
  )
}

/** The name of a wheel's project as an index writes it. */
function projectOf(file: string): string {
  return (file.split('-')[0] ?? '').toLowerCase().replaceAll(/[-_.]+/g, '-')
}
