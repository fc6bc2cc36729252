/** What a release consists of, read from a clone or a release folder: our own files and the locked production dependencies. */
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline, Readable } from 'node:stream'
import { createGzip } from 'node:zlib'
import { Failure } from '../core/failure.ts'
import type { ReleasePack } from './artifact.ts'
import { type Member, writeTar } from './tar.ts'

/** Tests, docs and benchmarks stay at home. */
const OWN_ENTRIES = [
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
  'LICENSE',
  'README.md',
] as const

type Lock = Readonly<{ packages: Readonly<Record<string, Readonly<Record<string, unknown>>>> }>

/** npm's marks of what production does without; optional ones are native accelerators that we never build. */
const MARKS = ['dev', 'devOptional', 'optional'] as const

/** Folders of the dependencies that production needs, by the lock file. */
function dependencyFolders(lock: Lock): readonly string[] {
  return Object.entries(lock.packages)
    .filter(([path, entry]) => path !== '' && MARKS.every((mark) => entry[mark] !== true))
    .map(([path]) => path)
}

/** Names of all files below, without the packages nested in it: those are entries of the lock file themselves. */
async function filesBelow(root: string, folder: string): Promise<readonly string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  const names = await Promise.all(
    entries.map(async (entry) => {
      const name = `${folder}/${entry.name}`
      if (entry.isFile()) return [name]
      return entry.isDirectory() && entry.name !== 'node_modules' ? await filesBelow(root, name) : []
    }),
  )
  return names.flat()
}

async function namesOf(root: string): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lock
  const top = new Set((await readdir(root, { withFileTypes: true })).map(({ name }) => name))
  const folders = dependencyFolders(lock)
  const parts = await Promise.all(
    [...OWN_ENTRIES.filter((name) => top.has(name)), ...folders].map(async (name) =>
      (await stat(join(root, name))).isDirectory() ? await filesBelow(root, name) : [name],
    ),
  )
  return parts.flat().toSorted()
}

type Measured = Member & Readonly<{ sha256: string }>

async function measure(root: string, name: string): Promise<Measured> {
  const path = join(root, name)
  const [bytes, { mode }] = await Promise.all([readFile(path), stat(path)])
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { name, path, bytes: bytes.length, isExecutable: (mode & 0o100) !== 0, sha256 }
}

const GROUP_SIZE = 64

/** Measures the release in a folder. Throws when its dependencies are not installed. */
export async function measureRelease(root: string): Promise<ReleasePack> {
  const names = await namesOf(root).catch((error) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new Failure({ what: 'the release can’t be read', where: root, why, next: './tappass version' }, 1, error)
  })
  const members: Measured[] = []
  for (let at = 0; at < names.length; at += GROUP_SIZE) {
    members.push(...(await Promise.all(names.slice(at, at + GROUP_SIZE).map((name) => measure(root, name)))))
  }
  const manifest = members.map(({ sha256, name }) => `${sha256}  ./${name}\n`).join('')
  const content = createHash('sha256').update(manifest)
  for (const { isExecutable } of members) content.update(isExecutable ? 'x' : '-')
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    version: `${version}-${content.digest('hex').slice(0, 12)}`,
    manifest,
    // Speed over size: most of the bytes are one WebAssembly module.
    open: () => pipeline(Readable.from(writeTar(members)), createGzip({ level: 1 }), () => {}),
  }
}
