/** The lab's images as Docker Hub has them: an index by platform, a manifest, a configuration and a compressed layer, each by its digest. */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileDigest } from '../archive.ts'
import { demand } from '../execution.ts'
import { ensureImage, type imageNames } from '../image.ts'
import { buildOnce, recipeKey } from '../keyed-folder.ts'
import { cachePath } from '../setting.ts'

/** A document or layer: its digest (`sha256:…`), its bytes in a file, and what they are. */
export type Blob = Readonly<{ digest: string; size: number; mediaType: string; path: string }>

/** `index` is what a reference by digest names; `documents` are the index and the manifest, `blobs` the configuration and the layer. */
export type RegistryImage = Readonly<{ index: Blob; documents: readonly Blob[]; blobs: readonly Blob[] }>

const edition = 1
const typeOf = (kind: string): string => `application/vnd.oci.image.${kind}`

type Descriptor = Readonly<{ digest: string; size: number; mediaType: string }>

async function putDocument(folder: string, mediaType: string, document: unknown): Promise<Blob> {
  const text = typeof document === 'string' ? document : JSON.stringify(document)
  const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`
  const path = join(folder, digest.slice('sha256:'.length))
  await writeFile(path, text)
  return { digest, size: Buffer.byteLength(text), mediaType, path }
}

async function putLayer(folder: string, tar: string): Promise<Blob> {
  const work = join(folder, 'layer.partial')
  await demand(['sh', '-c', 'gzip -n -3 <"$1" >"$2"', 'sh', tar, work])
  const digest = await fileDigest(work)
  const path = join(folder, digest)
  await rename(work, path)
  const { size } = await stat(path)
  return { digest: `sha256:${digest}`, size, mediaType: typeOf('layer.v1.tar+gzip'), path }
}

const descriptorOf = ({ digest, size, mediaType }: Blob): Descriptor => ({ digest, size, mediaType })

async function unpackImage(archive: string, target: string): Promise<void> {
  const unpacked = `${target}.unpacked`
  await rm(unpacked, { recursive: true, force: true })
  for (const folder of [unpacked, target]) await mkdir(folder, { recursive: true })
  await demand(['tar', '-xf', archive, '-C', unpacked])
  const manifest = JSON.parse(await readFile(join(unpacked, 'manifest.json'), 'utf8')) as [
    Readonly<{ Config: string; Layers: readonly string[] }>,
  ]
  const [{ Config, Layers }] = manifest
  const config = await putDocument(target, typeOf('config.v1+json'), await readFile(join(unpacked, Config), 'utf8'))
  const layers: Blob[] = []
  for (const layer of Layers) layers.push(await putLayer(target, join(unpacked, layer)))
  const image = await putDocument(target, typeOf('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: typeOf('manifest.v1+json'),
    config: descriptorOf(config),
    layers: layers.map(descriptorOf),
  })
  const index = await putDocument(target, typeOf('index.v1+json'), {
    schemaVersion: 2,
    mediaType: typeOf('index.v1+json'),
    manifests: [{ ...descriptorOf(image), platform: { architecture: 'amd64', os: 'linux' } }],
  })
  const said = { index, documents: [index, image], blobs: [config, ...layers] }
  await writeFile(join(target, 'image.json'), JSON.stringify(said).replaceAll(`${target}/`, ''))
  await rm(unpacked, { recursive: true, force: true })
}

/** Gives an image of the lab as a registry holds it, made first where that is missing. */
export async function ensureRegistryImage(name: (typeof imageNames)[number]): Promise<RegistryImage> {
  const archive = await ensureImage(name)
  const key = recipeKey({ edition, archive })
  const folder = await buildOnce(cachePath('vendors', `${name}-${key}`), (target) => unpackImage(archive, target))
  const image = JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')) as RegistryImage
  const placed = (blob: Blob): Blob => ({ ...blob, path: join(folder, blob.path) })
  return { index: placed(image.index), documents: image.documents.map(placed), blobs: image.blobs.map(placed) }
}
