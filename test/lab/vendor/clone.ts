/** A clone of this repository whose pins are those of the lab's own artifacts, and that differs in nothing else. */
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileDigest } from '../archive.ts'
import { copyClone } from '../clone.ts'
import { imageNames } from '../image.ts'
import { readPins } from '../pin.ts'
import { ensureCaddyArchive, ensureNodeArchive } from '../program.ts'
import { ensureDockerRepository } from './docker-repository.ts'
import { ensureRegistryImage } from './registry.ts'

const platform = 'linux-x64'

/** Each pin of the vendors, with that of the lab's artifact in its place. */
async function pinPairs(): Promise<readonly (readonly [vendor: string, lab: string])[]> {
  const { node, images, caddy, docker } = await readPins()
  const nodes = node.map(async (pin) => [pin.archives[platform], await fileDigest(await ensureNodeArchive(pin))])
  const pulled = imageNames.map(async (name) => [
    images[name]?.reference.split('@')[1],
    (await ensureRegistryImage(name)).index.digest,
  ])
  const rest = [
    [caddy.archives[platform], await fileDigest(await ensureCaddyArchive())],
    [docker.fingerprint, (await ensureDockerRepository()).fingerprint],
  ]
  return [...(await Promise.all([...nodes, ...pulled])), ...rest] as [string, string][]
}

/** Makes the clone at `root`, a folder that is not there yet. It has no dependencies: the launcher installs them, or they are linked. */
export async function makeVendorClone(root: string): Promise<void> {
  await copyClone(root)
  const path = join(root, 'versions.yaml')
  let text = await readFile(path, 'utf8')
  for (const [vendor, lab] of await pinPairs()) {
    if (vendor === undefined || !text.includes(vendor)) throw new Error(`versions.yaml lacks the pin ${vendor}`)
    text = text.replace(vendor, lab)
  }
  await writeFile(path, text)
  await copyFile((await ensureDockerRepository()).key, join(root, 'templates/docker/docker.asc'))
}
