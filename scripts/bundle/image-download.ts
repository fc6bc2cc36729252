/** A container image by its digest, saved as an archive: by Docker's client of this machine, once for each digest. */
import { createHash } from 'node:crypto'
import { access, mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { BundlePlatform } from './platform.ts'
import { type Downloader, runTool } from './tool.ts'

/** Returns the archive in the cache. `setting` names a file instead. Throws a `Failure` where there is no Docker to ask. */
export async function downloadImage(
  downloader: Downloader,
  platform: BundlePlatform,
  { setting, reference }: Readonly<{ setting: string; reference: string }>,
): Promise<string> {
  const architecture = platform.traits.debianArchitecture
  const folder = join(downloader.cache, 'images')
  const name = createHash('sha256').update(`${reference} ${architecture}`).digest('hex')
  const path = join(folder, `${name}.tar`)
  const isThere = await access(path).then(
    () => true,
    () => false,
  )
  if (isThere) return path
  await mkdir(folder, { recursive: true })
  downloader.report(`pulling ${reference}`)
  const tagged = reference.split('@')[0] ?? reference
  const docker = (...words: readonly string[]) => runTool(downloader, ['docker', ...words], 'it pulls images')
  try {
    await docker('pull', '--quiet', '--platform', `linux/${architecture}`, reference)
    await docker('tag', reference, tagged)
    await docker('save', '--output', `${path}.part`, tagged)
  } catch (error) {
    if (!(error instanceof Failure) || error.code === EXIT_CODE.interrupted) throw error
    const why = [error.text.what, error.text.why].join(': ')
    const next = `${setting}.archive in host.yaml: a file made by docker save on a machine that has Docker`
    throw new Failure(
      { what: `cannot pull ${reference} with Docker on this machine`, why, next },
      EXIT_CODE.refused,
      error,
    )
  }
  await rename(`${path}.part`, path)
  return path
}
