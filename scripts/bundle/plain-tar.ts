/** A tar of some files: the same bytes for the same files, whoever owns them and however old they are. */
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'

type Member = Readonly<{ name: string; path: string }>

/** Writes the files in their order; gzipped with `isGzipped`. */
export async function packFolderFiles(members: readonly Member[], target: string, isGzipped = false): Promise<void> {
  const { packTar } = await import('modern-tar/fs')
  const sources = members.map(({ name, path }) => ({
    ...({ type: 'file', source: path, target: name, mode: 0o644 } as const),
    ...{ mtime: new Date(0), uid: 0, gid: 0 },
  }))
  const tar = packTar(sources)
  const out = createWriteStream(target, { flush: true })
  await (isGzipped ? pipeline(tar, createGzip({ level: 1 }), out) : pipeline(tar, out))
}
