/**
 * An archive that `docker load` takes, made from a folder without any container engine: laid out as `docker save` of
 * version 25 and newer does, an OCI layout with Docker's manifest.json beside it.
 */
import { createHash } from 'node:crypto'
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileDigest, packTar } from './archive.ts'

/** How containers of the image start, as in the image's configuration. */
export type ImageSettings = Readonly<{
  command: readonly string[]
  volume?: string
  workingFolder: string
  stopSignal?: string
  environment?: readonly string[]
}>

const documentType = (kind: string): string => `application/vnd.oci.image.${kind}`

function configuration(settings: ImageSettings, layer: string): unknown {
  return {
    architecture: 'amd64',
    os: 'linux',
    created: '1970-01-01T00:00:00Z', // the same files give the same image id, whenever they are packed
    config: {
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(settings.environment ?? [])],
      Cmd: settings.command,
      ...(settings.volume === undefined ? {} : { Volumes: { [settings.volume]: {} } }),
      WorkingDir: settings.workingFolder,
      Labels: { lab: 'true' },
      ...(settings.stopSignal === undefined ? {} : { StopSignal: settings.stopSignal }),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
    history: [{ created: '1970-01-01T00:00:00Z', created_by: 'test/lab' }],
  }
}

/** Packs `tree` as the image `reference` (`name:tag`) into the file `target`. `work` is a folder for what it needs on the way. */
export async function packImage(
  tree: string,
  reference: string,
  settings: ImageSettings,
  work: string,
  target: string,
): Promise<void> {
  const blobs = join(work, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  await packTar(tree, ['.'], join(work, 'layer.tar'))
  const layer = await fileDigest(join(work, 'layer.tar'))
  await rename(join(work, 'layer.tar'), join(blobs, layer))
  const put = async (document: unknown): Promise<{ digest: string; size: number }> => {
    const text = JSON.stringify(document)
    const digest = createHash('sha256').update(text).digest('hex')
    await writeFile(join(blobs, digest), text)
    return { digest: `sha256:${digest}`, size: Buffer.byteLength(text) }
  }
  const config = await put(configuration(settings, layer))
  const { size } = await stat(join(blobs, layer))
  const manifest = await put({
    schemaVersion: 2,
    mediaType: documentType('manifest.v1+json'),
    config: { mediaType: documentType('config.v1+json'), ...config },
    layers: [{ mediaType: documentType('layer.v1.tar'), digest: `sha256:${layer}`, size }],
  })
  const annotations = {
    'io.containerd.image.name': `docker.io/library/${reference}`,
    'org.opencontainers.image.ref.name': reference.split(':')[1],
  }
  const documents = {
    'oci-layout': { imageLayoutVersion: '1.0.0' },
    'index.json': {
      schemaVersion: 2,
      mediaType: documentType('index.v1+json'),
      manifests: [{ mediaType: documentType('manifest.v1+json'), ...manifest, annotations }],
    },
    'manifest.json': [
      {
        Config: `blobs/sha256/${config.digest.slice('sha256:'.length)}`,
        RepoTags: [reference],
        Layers: [`blobs/sha256/${layer}`],
      },
    ],
  }
  for (const [name, document] of Object.entries(documents)) await writeFile(join(work, name), JSON.stringify(document))
  await packTar(work, ['blobs', ...Object.keys(documents)], target)
  await rm(work, { recursive: true, force: true })
}
