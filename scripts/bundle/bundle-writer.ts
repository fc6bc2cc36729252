/** Writes a bundle: its manifest, the signature of that, and the files in their order. The same files and key give the same bytes. */
import { createHash, type KeyObject, sign } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '../core/failure.ts'
import { MANIFEST_NAME, SIGNATURE_NAME } from './bundle-file.ts'
import { type BundleManifest, manifestText } from './bundle-manifest.ts'
import { MEMBER_BYTES_MAX, paddingOf, TAR_END, tarHeader } from './tar-member.ts'

/** Where the content of a file of the manifest is on this machine. */
export type Sources = ReadonlyMap<string, string>

function changed(file: string): Failure {
  return new Failure({ what: `${file} changed while it was packed`, next: 'run the same command again' })
}

async function* member(name: string, content: Buffer): AsyncIterable<Uint8Array> {
  yield tarHeader(name, content.length)
  yield content
  yield paddingOf(content.length)
}

async function* bytesOf(manifest: BundleManifest, key: KeyObject, sources: Sources): AsyncIterable<Uint8Array> {
  const text = Buffer.from(manifestText(manifest))
  yield* member(MANIFEST_NAME, text)
  yield* member(SIGNATURE_NAME, sign(null, text, key))
  for (const { path, bytes, sha256 } of manifest.files) {
    const source = sources.get(path)
    if (source === undefined || bytes > MEMBER_BYTES_MAX) throw new Error(`${path} can't be packed`)
    yield tarHeader(path, bytes)
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(source, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      yield chunk
    }
    if (hash.digest('hex') !== sha256) throw changed(source)
    yield paddingOf(bytes)
  }
  yield TAR_END
}

/** Writes the bundle beside its place and renames it, so that a file of that name is whole. `key` is the private Ed25519 key. */
export async function writeBundle(
  path: string,
  manifest: BundleManifest,
  key: KeyObject,
  sources: Sources,
): Promise<void> {
  const fresh = `${path}.part`
  await pipeline(Readable.from(bytesOf(manifest, key, sources)), createWriteStream(fresh, { flush: true }))
  await rename(fresh, path)
}
