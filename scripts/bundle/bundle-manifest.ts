/** The manifest of an offline bundle: which platform and release it is for, and every file in it. No package is needed to read it. */

/** What the first line of the manifest says; another layout has another number. */
export const BUNDLE_FORMAT = 'tappass-bundle-1'

/**
 * A file of a bundle. `setting` is what it stands for: a key of host.yaml (`node`, `images.postgres`, `site`), `packages.ID`, `launcher` or
 * `toolkit`. Of a container image, its id and layers.
 */
export type BundleFile = Readonly<{
  path: string
  bytes: number
  sha256: string
  setting: string
  imageId?: string
  layers?: readonly string[]
}>

/**
 * `platform` such as `debian-13-amd64`; `release` is the toolkit's version with its digest; `lock` and `requirements` are the digests of package-lock.json and
 * of docs/requirements.txt.
 */
export type BundleManifest = Readonly<{
  format: typeof BUNDLE_FORMAT
  platform: string
  release: string
  lock: string
  requirements: string
  files: readonly BundleFile[]
}>

const DIGEST = /^[0-9a-f]{64}$/
/** Plain names, and no step out of the folder. */
const PATH = /^[A-Za-z0-9][\w.+-]*(?:\/[A-Za-z0-9][\w.+-]*)*$/
const PATH_CHARS_MAX = 99

/** Returns the manifest as it is signed. */
export function manifestText(manifest: BundleManifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`
}

type Row = Readonly<Record<string, unknown>>

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value)
}

function isImagePart({ imageId, layers }: Row): boolean {
  if (imageId === undefined && layers === undefined) return true
  const isLayers = Array.isArray(layers) && layers.every((each) => isText(each, /^sha256:[0-9a-f]{64}$/))
  return isLayers && isText(imageId, /^sha256:[0-9a-f]{64}$/)
}

function isFile(value: unknown): value is BundleFile {
  if (!isRow(value)) return false
  const { path, bytes, sha256, setting } = value
  const isNamed = isText(path, PATH) && String(path).length <= PATH_CHARS_MAX && isText(setting, /^[\w.-]+$/)
  return isNamed && Number.isSafeInteger(bytes) && Number(bytes) >= 0 && isText(sha256, DIGEST) && isImagePart(value)
}

/** Returns the manifest in a text; undefined for a text that is none. */
export function parseManifest(text: string): BundleManifest | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRow(value) || value['format'] !== BUNDLE_FORMAT) return undefined
  const { platform, release, lock, requirements, files } = value
  const isHead = isText(platform, /^[a-z]+-[\d.]+-[a-z0-9]+$/) && isText(release, /^[\w.+-]+$/)
  const isWhole = isHead && isText(lock, DIGEST) && isText(requirements, DIGEST)
  if (!isWhole || !Array.isArray(files) || !files.every(isFile)) return undefined
  const paths = new Set(files.map(({ path }) => path))
  return paths.size === files.length ? (value as BundleManifest) : undefined
}
