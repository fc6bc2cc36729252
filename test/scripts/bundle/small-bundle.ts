/** A small bundle in a folder of its own, for tests: three files, signed by a key that is made here. */
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BundleManifest } from '../../../scripts/bundle/bundle-manifest.ts'
import { writeBundle } from '../../../scripts/bundle/bundle-writer.ts'

const CONTENTS = { 'node/24.0.0.tar.gz': 'a Node', 'images/redis.tar': 'x'.repeat(1500), 'packages/docker.tar': '' }
const SETTINGS = {
  'node/24.0.0.tar.gz': { setting: 'node' },
  'images/redis.tar': {
    setting: 'images.redis',
    imageId: `sha256:${'1'.repeat(64)}`,
    layers: [`sha256:${'2'.repeat(64)}`],
  },
  'packages/docker.tar': { setting: 'packages.docker' },
} as const

const publicPem = (key: KeyObject): string => String(key.export({ type: 'spki', format: 'pem' }))

/** `path` is the bundle, `publicKey` the key's other half, `strangerKey` that of nobody; `write` writes a further bundle with another manifest. */
export const smallBundle = async (changes: Partial<BundleManifest> = {}) => {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-bundle-'))
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const files = Object.entries(CONTENTS).map(([path, content]) => {
    writeFileSync(join(folder, path.replace('/', '-')), content)
    const sha256 = createHash('sha256').update(content).digest('hex')
    return { path, bytes: content.length, sha256, ...SETTINGS[path as keyof typeof SETTINGS] }
  })
  const manifest: BundleManifest = {
    ...{ format: 'tappass-bundle-1', platform: 'debian-13-amd64', release: '0.1.0-abc' },
    ...{ lock: 'a'.repeat(64), requirements: 'b'.repeat(64), files, ...changes },
  }
  const sources = new Map(files.map(({ path }) => [path, join(folder, path.replace('/', '-'))]))
  const write = async (name: string, other: Partial<BundleManifest> = {}) => {
    const target = join(folder, name)
    await writeBundle(target, { ...manifest, ...other }, privateKey, sources)
    return target
  }
  const key = join(folder, 'key.pub')
  writeFileSync(key, publicPem(publicKey))
  return {
    ...{ folder, manifest, write, keyFile: key, path: await write('bundle.tar'), publicKey: publicPem(publicKey) },
    strangerKey: publicPem(generateKeyPairSync('ed25519').publicKey),
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}
