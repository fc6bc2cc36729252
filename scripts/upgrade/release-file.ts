/**
 * A release as one file: what `releases --pack` writes and `upgrade --archive` takes. A tar of `release.json` (version, SHA-256) and `release.tar.gz`, and
 * `release.json.sig` (Ed25519, 64 bytes) where a key has signed it.
 */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import * as v from 'valibot'
import type { ReleaseArchive } from '../artifacts/artifact.ts'
import { measureRelease } from '../artifacts/release-archive.ts'
import { Failure, refusedFailure } from '../core/failure.ts'

const [HEAD, SIGNATURE, BODY] = ['release.json', 'release.json.sig', 'release.tar.gz']
const headSchema = v.strictObject({ version: v.string(), sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) })

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

/** Writes the file, beside its place first, signed by the private Ed25519 `key` if there is one; `folder` is for what is between. Returns the SHA-256 of the file. */
export async function writeReleaseFile(
  pack: ReleaseArchive,
  path: string,
  folder: string,
  key?: KeyObject,
): Promise<string> {
  const body = join(folder, BODY)
  await pipeline(pack.open(), createWriteStream(body))
  const head = Buffer.from(`${JSON.stringify({ version: pack.version, sha256: await digestOf(body) })}\n`)
  await writeFile(join(folder, HEAD), head)
  if (key !== undefined) await writeFile(join(folder, SIGNATURE), sign(null, head, key))
  const { packTar } = await import('modern-tar/fs')
  const sources = [HEAD, ...(key === undefined ? [] : [SIGNATURE]), BODY].map((name) => ({
    ...({ type: 'file', source: join(folder, name), target: name, mode: 0o644 } as const),
    ...{ mtime: new Date(0), uid: 0, gid: 0 },
  }))
  await pipeline(packTar(sources), createWriteStream(`${path}.new`, { flush: true }))
  await rename(`${path}.new`, path)
  return await digestOf(path)
}

function damaged(path: string, why: string): Error {
  return refusedFailure(
    `${path} is no release, or not whole`,
    why,
    'fetch it again, and compare its SHA-256 with that which "tappass releases --pack" has shown',
  )
}

async function unpack(path: string, folder: string, isGzipped: boolean): Promise<void> {
  const { unpackTar } = await import('modern-tar/fs')
  await mkdir(folder, { recursive: true })
  const sink = unpackTar(folder)
  await (isGzipped ? pipeline(createReadStream(path), createGunzip(), sink) : pipeline(createReadStream(path), sink))
}

/** Throws a `Failure` (exit 5) where that key has not signed the head. */
async function demandSignature(path: string, folder: string, publicKey: string): Promise<void> {
  const next = 'ask who made it for the public key, over another way than the file itself'
  const signature = await readFile(join(folder, SIGNATURE)).catch(() => undefined)
  if (signature === undefined)
    throw refusedFailure(`${path} is not signed`, 'a key was given that has to have signed it', next)
  const head = await readFile(join(folder, HEAD))
  if (verify(null, head, createPublicKey(publicKey), signature)) return
  throw refusedFailure(`${path} is not signed by that key`, 'it was changed, or another key has signed it', next)
}

/** What a file of a release has to be: of this SHA-256, signed by this public Ed25519 key (PEM). */
export type ReleaseDemand = Readonly<{ sha256?: string | undefined; publicKey?: string | undefined }>

/**
 * Unpacks the file into `folder` and returns the folder of the release, every file of which was compared. Throws a `Failure` (exit 5) for a file that is damaged,
 * or another one than was demanded.
 */
export async function unpackReleaseFile(
  path: string,
  folder: string,
  { sha256, publicKey }: ReleaseDemand = {},
): Promise<string> {
  const digest = await digestOf(path).catch((error: Error) => {
    throw damaged(path, error.message)
  })
  if (sha256 !== undefined && digest !== sha256) throw damaged(path, `its SHA-256 is ${digest}, not ${sha256}`)
  const root = join(folder, 'release')
  try {
    await unpack(path, folder, false)
    if (publicKey !== undefined) await demandSignature(path, folder, publicKey)
    const head = v.parse(headSchema, JSON.parse(await readFile(join(folder, HEAD), 'utf8')))
    if ((await digestOf(join(folder, BODY))) !== head.sha256) throw new Error(`${BODY} is not what ${HEAD} says`)
    await unpack(join(folder, BODY), root, true)
    const { version } = await measureRelease(root)
    if (version !== head.version) throw new Error(`its files are of ${version}, and ${HEAD} says ${head.version}`)
  } catch (error) {
    if (error instanceof Failure) throw error
    throw damaged(path, error instanceof Error ? error.message : String(error))
  }
  return root
}
