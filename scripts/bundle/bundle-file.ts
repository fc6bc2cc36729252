/** A bundle on this machine: opened only when its manifest is signed by the given key and each byte is as that was signed. No package is needed for it. */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { FilePart } from '../artifacts/artifact.ts'
import { type Failure, refusedFailure } from '../core/failure.ts'
import { quoteAll } from '../core/quoting.ts'
import { BUNDLE_FORMAT, type BundleFile, type BundleManifest, parseManifest } from './bundle-manifest.ts'
import { HEADER_BYTES, paddingOf, sizeInHeader, TAR_END, tarHeader } from './tar-member.ts'

/** The first two files in it. */
export const MANIFEST_NAME = 'manifest.json'
export const SIGNATURE_NAME = 'manifest.sig'

const MANIFEST_BYTES_MAX = 4 << 20
const SIGNATURE_BYTES = 64

/** `partOf` returns where the bytes of a file of the manifest stand in `path`. */
export type Bundle = Readonly<{ path: string; manifest: BundleManifest; partOf: (file: BundleFile) => FilePart }>

function refused(path: string, what: string, why: string, next?: string): Failure {
  const copied = `copy it again, and compare with the original: ${quoteAll(['sha256sum', path])}`
  return refusedFailure(`${path} ${what}`, why, next ?? copied)
}

function damaged(path: string, why: string): Failure {
  return refused(path, 'is not a whole bundle', why)
}

type Opened = Readonly<{ path: string; handle: FileHandle }>

/** Throws a `Failure` (exit 5) where the file ends before. */
async function readAt({ path, handle }: Opened, position: number, bytes: number, name: string): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, position)
  if (bytesRead === bytes) return buffer
  throw damaged(path, `it ends after ${position + bytesRead} bytes, before the end of ${name}: it was cut off`)
}

/** Returns where the content of the file begins that has to stand there; `sizeOf` is asked for its size. */
async function startOf(opened: Opened, position: number, name: string, bytes: number): Promise<number> {
  const header = await readAt(opened, position, HEADER_BYTES, name)
  if (header.equals(tarHeader(name, bytes))) return position + HEADER_BYTES
  throw damaged(opened.path, `${name} does not stand at byte ${position}, where its manifest says`)
}

/** Returns where the next file begins. */
async function endOf(opened: Opened, start: number, name: string, bytes: number): Promise<number> {
  const padding = paddingOf(bytes)
  const found = await readAt(opened, start + bytes, padding.length, name)
  if (found.equals(padding)) return start + bytes + padding.length
  throw damaged(opened.path, `something stands behind ${name}: it was changed`)
}

async function readMember(opened: Opened, position: number, name: string, bytes: number) {
  const start = await startOf(opened, position, name, bytes)
  const content = await readAt(opened, start, bytes, name)
  return { content, next: await endOf(opened, start, name, bytes) }
}

async function readSigned(opened: Opened, publicKey: string) {
  const { path } = opened
  const bytes = sizeInHeader(await readAt(opened, 0, HEADER_BYTES, MANIFEST_NAME))
  if (bytes === undefined || bytes > MANIFEST_BYTES_MAX)
    throw damaged(path, `it does not begin with ${MANIFEST_NAME}: tappass bundle create makes bundles`)
  const first = await readMember(opened, 0, MANIFEST_NAME, bytes)
  const second = await readMember(opened, first.next, SIGNATURE_NAME, SIGNATURE_BYTES)
  if (!verify(null, first.content, createPublicKey(publicKey), second.content)) {
    throw refused(
      path,
      'is not signed by that key',
      'its manifest was changed, or another key has signed it',
      'ask who made the bundle for the public key, over another way than the bundle itself',
    )
  }
  const manifest = parseManifest(first.content.toString('utf8'))
  if (manifest !== undefined) return { manifest, next: second.next }
  const why = `its manifest is not of the format ${BUNDLE_FORMAT}`
  throw refused(path, 'is of another release', why, 'make it with this release: tappass bundle create --help')
}

async function digestOf(path: string, { start, end }: FilePart): Promise<string> {
  const hash = createHash('sha256')
  // An empty range can't be said to it.
  if (end < start) return hash.digest('hex')
  for await (const chunk of createReadStream(path, { start, end, highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

async function readFiles(opened: Opened, manifest: BundleManifest, first: number) {
  const parts = new Map<string, FilePart>()
  let position = first
  for (const { path: name, bytes, sha256 } of manifest.files) {
    const start = await startOf(opened, position, name, bytes)
    // The end first: a bundle that was cut off is not read up to there.
    position = await endOf(opened, start, name, bytes)
    const part = { start, end: start + bytes - 1 }
    if ((await digestOf(opened.path, part)) !== sha256)
      throw damaged(opened.path, `${name} is not what was signed: it was changed`)
    parts.set(name, part)
  }
  const end = await readAt(opened, position, TAR_END.length, 'the bundle')
  const { size } = await opened.handle.stat()
  if (!end.equals(TAR_END) || size !== position + TAR_END.length)
    throw damaged(opened.path, 'something stands behind its last file')
  return parts
}

/** Opens a bundle. `publicKey` is Ed25519 in PEM. Throws a `Failure` (exit 5) for one that is not what that key has signed, to the last byte. */
export async function openBundle(path: string, publicKey: string): Promise<Bundle> {
  const handle = await open(path).catch((error: Error) => {
    throw refused(path, 'cannot be read', error.message, quoteAll(['ls', '-l', path]))
  })
  try {
    const opened = { path, handle }
    const { manifest, next } = await readSigned(opened, publicKey)
    const parts = await readFiles(opened, manifest, next)
    const partOf = ({ path: name }: BundleFile): FilePart => {
      const part = parts.get(name)
      if (part === undefined) throw new Error(`${name} is not of this bundle`)
      return part
    }
    return { path, manifest, partOf }
  } finally {
    await handle.close()
  }
}
