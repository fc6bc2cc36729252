/** Files of a set: written, flushed and digested in one go, and read again from the disk. */
import { createHash, type Hash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** A file as the manifest lists it. */
export type SetFile = Readonly<{ name: string; bytes: number; sha256: string }>

/** Flushes the names in a folder to disk. */
export async function flushFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  await handle.sync()
}

async function* hashing(source: AsyncIterable<Uint8Array>, hash: Hash): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    hash.update(piece)
    yield piece
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** Writes a file into the folder and flushes it. Returns it as the manifest lists it: the digest is of what was to be written. */
export async function writeSetFile(
  folder: string,
  name: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
): Promise<SetFile> {
  const source =
    typeof content === 'string' || content instanceof Uint8Array ? once(Buffer.from(content as Uint8Array)) : content
  const hash = createHash('sha256')
  await using file = await open(join(folder, name), 'wx', 0o600)
  await file.writeFile(hashing(source, hash))
  await file.sync()
  const { size } = await file.stat()
  return { name, bytes: size, sha256: hash.digest('hex') }
}

/** Writes a file whole or not at all, flushed, its name too. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const partial = `${path}.partial`
  try {
    await using file = await open(partial, 'w', 0o600)
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
  await rename(partial, path)
  await flushFolder(dirname(path))
}

/** Returns the SHA-256 of a file, read to its end. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk)
  return hash.digest('hex')
}

/** Reads every file of the list to its end. Returns what is not as the list says, in words. */
export async function differencesOf(folder: string, files: readonly SetFile[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, bytes, sha256 } of files) {
    const path = join(folder, name)
    const size = await stat(path).then(
      (file) => file.size,
      () => undefined,
    )
    if (size === undefined) found.push(`${name} is missing`)
    else if (size !== bytes) found.push(`${name} has ${size} bytes, and ${bytes} were written`)
    else if ((await fileDigest(path)) !== sha256) found.push(`${name} is not what was written`)
  }
  return found
}
