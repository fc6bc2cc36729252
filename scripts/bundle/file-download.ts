/** Downloads a file of a known digest. A download that was cut off goes on where it ended, in this run or the next. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '../core/failure.ts'
import { type Downloader, runTool } from './tool.ts'

/** Returns the SHA-256 of a file, undefined for one that is not there. */
export async function fileDigest(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return undefined
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

const LIMITS = ['--connect-timeout', '20', '--speed-limit', '500', '--speed-time', '60', '--retry', '3'] as const

/** What curl says of a server that can't go on (33), and of a part that is longer than the file (416). */
const CANNOT_GO_ON = /curl: \(33\)|error: 416/

/** One attempt, from where the part ends. Returns the digest of what is there then. */
async function fetchOn(downloader: Downloader, url: string, part: string): Promise<string | undefined> {
  const scheme = url.startsWith('https:') ? '=https' : '=http,https'
  const curl = ['curl', '-fsSL', '--proto', scheme, ...LIMITS, '--continue-at', '-', '-o', part, '--', url] as const
  try {
    await runTool(downloader, curl, 'it downloads what the bundle holds')
  } catch (error) {
    if (!(error instanceof Failure) || !CANNOT_GO_ON.test(error.text.why ?? '')) throw error
  }
  return await fileDigest(part)
}

/** Returns the file in the cache, downloaded unless it is there. Throws a `Failure` for bytes of another digest. */
export async function downloadFile(downloader: Downloader, url: string, sha256: string): Promise<string> {
  const folder = join(downloader.cache, 'files')
  const [path, part] = [join(folder, sha256), join(folder, `${sha256}.part`)]
  if ((await fileDigest(path)) === sha256) return path
  await mkdir(folder, { recursive: true })
  downloader.report(`downloading ${url}`)
  const isBegun = (await fileDigest(part)) !== undefined
  let found = await fetchOn(downloader, url, part)
  if (found !== sha256 && isBegun) {
    // The begun one was of something else, or the server can't go on.
    await rm(part, { force: true })
    found = await fetchOn(downloader, url, part)
  }
  if (found !== sha256) {
    await rm(part, { force: true })
    const why = `its SHA-256 is ${found}, expected ${sha256}; it was removed`
    const next = 'run the same command again; if it happens again, do not trust that source'
    throw new Failure({ what: 'a download is not what it has to be', where: url, why, next })
  }
  await rename(part, path)
  return path
}

/** Returns the digest that a vendor's file says. Throws a `Failure` for one that says none. */
export async function publishedDigest(downloader: Downloader, url: string): Promise<string> {
  const part = join(downloader.cache, 'files', `${createHash('sha256').update(url).digest('hex')}.sha256`)
  await mkdir(join(downloader.cache, 'files'), { recursive: true })
  await rm(part, { force: true })
  downloader.report(`downloading ${url}: the digest is accepted as it is there now`)
  await fetchOn(downloader, url, part)
  const [, digest] = /^([0-9a-f]{64})(\s|$)/.exec(await readFile(part, 'utf8')) ?? []
  if (digest !== undefined) return digest
  const next = 'in host.yaml, opa.sha256 pins the digest, opa.program names a file, downloads.opa another mirror'
  throw new Failure({ what: 'a file of a digest has none', where: url, why: 'it does not begin with a SHA-256', next })
}
