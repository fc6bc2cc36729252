/** Checkpoints in files, outside the database: the last one of each chain. */
import { appendFile, mkdir, open, readdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { CheckpointStore } from '../checkpoint/checkpointer.ts'
import { readPublicKey } from '../checkpoint/signed-note.ts'

const EXTENSION = '.checkpoint'

/** Public keys, one a line in base64: those that have signed here, the newest last. */
const KEY_FILE = 'public-keys'

/** Creates a store in a folder, which is created with mode 0700. A file is replaced as a whole, and flushed before that. */
export function createCheckpointFolder(folder: string): CheckpointStore {
  return {
    name: 'file',
    save: async ({ chain }, note) => {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, `${chain}${EXTENSION}`)
      const file = await open(`${path}.new`, 'w', 0o600)
      try {
        await file.writeFile(note)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(`${path}.new`, path)
    },
  }
}

/** Returns the notes in a folder; none when it is not there. */
export async function readCheckpointFolder(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw cause
  })
  const files = names.filter((name) => name.endsWith(EXTENSION)).toSorted()
  return Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))
}

/** Adds a public key to the folder's list, when it is not in it, and returns all keys of the list. */
export async function rememberPublicKey(folder: string, publicKey: Uint8Array): Promise<readonly Uint8Array[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const known = await readPublicKeys(folder)
  if (known.some((key) => Buffer.from(publicKey).equals(key))) return known
  await appendFile(join(folder, KEY_FILE), `${Buffer.from(publicKey).toString('base64')}\n`, {
    mode: 0o600,
    flush: true,
  })
  return [...known, publicKey]
}

/** Returns the keys of the folder's list; none when there is no list. */
export async function readPublicKeys(folder: string): Promise<readonly Uint8Array[]> {
  const text = await readFile(join(folder, KEY_FILE), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return ''
    throw cause
  })
  return text.split('\n').flatMap((line) => readPublicKey(line) ?? [])
}
