/** The content of a release, read from a clone or a release folder: our own files and the locked production dependencies. */
import { createHash, hash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compose } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { Failure } from '../core/failure.ts'
import type { ReleaseArchive } from './artifact.ts'
import { forgetful, type MeasurementStore } from './measurement-store.ts'

/** Our own files and folders; tests and benchmarks are not part of a release, and pages are a pack of their own (`site-pages.ts`). */
const RELEASE_ENTRIES = [
  'contract',
  'server',
  'scripts',
  'migrations',
  'units',
  'templates',
  'tappass',
  'bootstrap.sh',
  'Caddyfile',
  'package.json',
  'package-lock.json',
  'versions.yaml',
  'upgrades.yaml',
  'LICENSE',
  'README.md',
] as const

type Lock = Readonly<{ packages: Readonly<Record<string, Readonly<Record<string, unknown>>>> }>

/** npm's flags of packages that production does not need; optional ones are native accelerators that we never build. */
const EXCLUDED_FLAGS = ['dev', 'devOptional', 'optional'] as const

/** Returns the folders of the production dependencies, from the lock file. */
function dependencyFolders(lock: Lock): readonly string[] {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && EXCLUDED_FLAGS.every((flag) => entry[flag] !== true))
    .map(([path]) => path)
}

/** What a package holds for people and compilers: types, sources of what was built, pages, its own tests. Licences stay. */
const UNUSED_FILE = /\.(?:[cm]?ts|map|md|markdown|flow|tsbuildinfo)$|\/\.(?:npmignore|gitattributes|github\/.*)$/
const UNUSED_FOLDER =
  /\/node_modules\/(?:@[^/]+\/)?[^/]+\/(?:tests?|__tests__|tap-snapshots|benchmarks?|examples?|docs)\//
const LEGAL = /licen[cs]e|notice|copying/i

/** A dependency of the pages alone, which are a pack of their own. */
const PAGES_ONLY = 'node_modules/@mermaid-js/'

/**
 * Whether a file is part of a release, by its name below the clone. A run of the toolkit reads all files here and on the host: half of
 * those that npm installs are never loaded.
 */
export function isOfRelease(name: string): boolean {
  if (name.startsWith(PAGES_ONLY)) return false
  if (!name.startsWith('node_modules/') || LEGAL.test(name.slice(name.lastIndexOf('/')))) return true
  return !(UNUSED_FILE.test(name) || UNUSED_FOLDER.test(`/${name}`))
}

/** Returns the names of all files below a folder, without nested node_modules: those have entries of their own in the lock file. */
export function filesBelow(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = `${folder}/${entry.name}`
    if (entry.isFile()) return [name]
    return entry.isDirectory() && entry.name !== 'node_modules' ? filesBelow(root, name) : []
  })
}

/** Returns the names of the files of a release, sorted. Throws where its dependencies are not installed. */
export async function listReleaseFiles(root: string): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lock
  const top = new Set(readdirSync(root))
  // An installed release lacks them, and is itself what a run on its host is made from.
  const folders = dependencyFolders(lock).filter((folder) => !folder.startsWith(PAGES_ONLY))
  return [...RELEASE_ENTRIES.filter((name) => top.has(name)), ...folders]
    .flatMap((name) => (statSync(join(root, name)).isDirectory() ? filesBelow(root, name) : [name]))
    .filter(isOfRelease)
    .toSorted()
}

/** A file to pack: its name in the archive, its path, and what was found when it was measured. */
export type MeasuredFile = Readonly<{
  name: string
  path: string
  bytes: number
  isExecutable: boolean
  sha256: string
}>

/** Not through the thread pool, which costs more than it saves: the files are small, and in memory after the first run. */
function measure(root: string, name: string): MeasuredFile {
  const path = join(root, name)
  const bytes = readFileSync(path)
  const isExecutable = (statSync(path).mode & 0o100) !== 0
  return { name, path, bytes: bytes.length, isExecutable, sha256: hash('sha256', bytes) }
}

function changedFile(path: string): Failure {
  return new Failure({ what: `${path} changed while it was being sent`, next: 'run the same command again' })
}

/** Yields a tar of the files, the same bytes for the same files. Throws a `Failure` when the size of one changed since it was measured. */
export async function* packFiles(members: readonly MeasuredFile[]): AsyncIterable<Uint8Array> {
  const waiting = new Map(members.map((member) => [member.name, member]))
  const sources = members.map(({ name, path, isExecutable }) => ({
    ...({ type: 'file', source: path, target: name, mode: isExecutable ? 0o755 : 0o644 } as const),
    ...{ mtime: new Date(0), uid: 0, gid: 0 },
  }))
  const { packTar } = await import('modern-tar/fs')
  yield* packTar(sources, {
    map: (header) => {
      const member = waiting.get(header.name)
      // A second name of one file on the disk is packed as a link to the first.
      if (header.type === 'file' && member?.bytes !== header.size) throw changedFile(member?.path ?? header.name)
      waiting.delete(header.name)
      return header
    },
  })
  for (const { path } of waiting.values()) throw changedFile(path)
}

async function pack(members: readonly MeasuredFile[]): Promise<Buffer> {
  // Speed over size: most of the bytes are one WebAssembly module.
  return await buffer(compose(packFiles(members), createGzip({ level: 1 })))
}

/** Returns what opens the archive: packed when it is first opened, and the same bytes for every host after that, and for a run that follows one whose connection was cut. */
export function packOnce(members: readonly MeasuredFile[]): Required<Pick<ReleaseArchive, 'open' | 'resumable'>> {
  let packed: Promise<Buffer> | undefined
  const bytesOf = () => {
    packed ??= pack(members)
    return packed
  }
  const openAt = async function* (offset: number) {
    const bytes = await bytesOf()
    yield offset === 0 ? bytes : bytes.subarray(offset)
  }
  return {
    open: () => openAt(0),
    resumable: async () => {
      const bytes = await bytesOf()
      return { sha256: hash('sha256', bytes), bytes: () => bytes.length, openAt }
    },
  }
}

/** Measures these files of a folder; `subject` says for people and for the store what they are. The version starts with `label`. */
export async function measurePack(
  root: string,
  names: readonly string[],
  { subject, label, store }: Readonly<{ subject: string; label: string; store: MeasurementStore }>,
): Promise<ReleaseArchive> {
  const paths = names.map((name) => join(root, name))
  const members = await store(`${subject} ${root}`, paths, () => names.map((name) => measure(root, name)))
  const manifest = members.map(({ sha256, name }) => `${sha256}  ./${name}\n`).join('')
  const content = createHash('sha256').update(manifest)
  for (const { isExecutable } of members) content.update(isExecutable ? 'x' : '-')
  return {
    version: `${label}-${content.digest('hex').slice(0, 12)}`,
    manifest,
    ...packOnce(members),
  }
}

/** Measures the release in a folder. Throws a `Failure` when its dependencies are not installed. */
export async function measureRelease(root: string, store: MeasurementStore = forgetful): Promise<ReleaseArchive> {
  const names = await listReleaseFiles(root).catch((error) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure(
      { what: 'cannot read the files of the release', where: root, why, next: 'tappass version' },
      1,
      error,
    )
  })
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  return await measurePack(root, names, { subject: 'release', label: version, store })
}
