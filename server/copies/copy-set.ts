/**
 * Copies a backup to a store: part by part, each sealed to the recovery key, added, read back and noted. What was noted is not sent again, and a
 * sealed part is kept until it is noted, so that a cut anywhere costs one part at most. The index goes last: without it there is no backup in the store.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { appendFile, type FileHandle, mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileDigest, replaceFile } from '../backups/set-file.ts'
import { BASE_FILE } from '../backups/wal.ts'
import { sha256 } from '../core/hash.ts'
import {
  type IndexedFile,
  indexBeginning,
  indexText,
  isFileName,
  objectName,
  PART_BYTES,
  type Part,
  partBeginning,
  partCount,
} from './part.ts'
import { sealPart } from './sealed-part.ts'
import { type BackupStore, StoreFailure } from './store.ts'

/** What a copy needs. `wal` is the folder of the archived log, where there may be one; `state` is a folder of its own; `onPart` is called after each part, whether it was sent or was there. */
export type CopyWork = Readonly<{
  sets: string
  wal?: string
  state: string
  recipient: string
  label: string
  store: BackupStore
  now: () => Date
  onPart?: () => Promise<void>
  partBytes?: number
}>

/** What `copied.json` of a set says. `bytes` are those in the store. */
export type CopyNote = Readonly<{ format: 1; store: string; index: string; at: string; bytes: number }>

/** The name of that note, in the folder of a set. */
export const COPY_NOTE = 'copied.json'

/** A name for each time that something else is found under the name of a part. */
const ATTEMPTS_MAX = 9

/** Returns the files of a set that are copied: all but what is said of it here, and what is not finished. */
function filesOf(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  const odd = entries.find((entry) => !entry.isFile() || !isFileName(entry.name))
  if (odd !== undefined) throw new Error(`${join(folder, odd.name)} is no file of a backup: it was not copied`)
  return entries
    .map(({ name }) => name)
    .filter((name) => name !== COPY_NOTE && !name.endsWith('.partial'))
    .toSorted()
}

type Listed = Readonly<{ files?: readonly Readonly<{ name: string; sha256: string }>[]; sha256?: string }>

/** What a backup says of its own files: a set in its manifest, a base backup in its note. */
async function listedFiles(folder: string): Promise<NonNullable<Listed['files']>> {
  const isBase = existsSync(join(folder, BASE_FILE.note))
  const text = await readFile(join(folder, isBase ? BASE_FILE.note : 'manifest.json'), 'utf8')
  const { files = [], sha256 = '' } = JSON.parse(text) as Listed
  return isBase ? [{ name: BASE_FILE.tar, sha256 }] : files
}

/** A disk may have lost what was whole when it was proven. Throws for the first file that is not what the manifest says. */
async function checkDigests(folder: string): Promise<void> {
  for (const { name, sha256 } of await listedFiles(folder)) {
    if ((await fileDigest(join(folder, name))) !== sha256)
      throw new Error(`${join(folder, name)} is no longer what its manifest says: it was not copied`)
  }
}

type NotedPart = Readonly<{ file: string; index: number; part: Part }>

/** The parts that are in the store, by file and number. A line that a cut has left is no note. */
function readNotes(path: string): Map<string, Part> {
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : []
  const notes = lines.map((line) => JSON.parse(line) as NotedPart)
  return new Map(notes.map(({ file, index, part }) => [`${file}/${index}`, part]))
}

async function readSlice(file: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(length)
  for (let got = 0; got < length; ) {
    const { bytesRead } = await file.read(buffer, got, length - got, offset + got)
    if (bytesRead === 0) throw new Error('a file of the backup became shorter while it was copied')
    got += bytesRead
  }
  return buffer
}

/** What was sealed and is not noted yet: sealing gives other bytes each time, and the store may have these. */
type Pending = Readonly<{ of: string; recipient: string; sha256: string }>

/** What is sent. `isMaybeThere`: it was begun to be sent before a cut. */
type Sealed = Readonly<{ bytes: Uint8Array; isMaybeThere: boolean }>

/** Seals a part; what was sealed before a cut, and not noted, is taken again. `of` is the beginning of its name. */
export async function sealedPart(work: CopyWork, of: string, read: () => Promise<Uint8Array>): Promise<Sealed> {
  const [note, content] = [join(work.state, 'pending.json'), join(work.state, 'pending.age')]
  if (existsSync(note)) {
    const pending = JSON.parse(readFileSync(note, 'utf8')) as Pending
    const bytes = existsSync(content) ? readFileSync(content) : Buffer.alloc(0)
    if (pending.of === of && pending.recipient === work.recipient && sha256(bytes) === pending.sha256)
      return { bytes, isMaybeThere: true }
  }
  const bytes = await sealPart(work.recipient, await read())
  await replaceFile(content, bytes)
  await replaceFile(note, JSON.stringify({ of, recipient: work.recipient, sha256: sha256(bytes) } satisfies Pending))
  return { bytes, isMaybeThere: false }
}

/** Adds an object and reads it back. Throws a `StoreFailure` when the store gives back something else. */
export async function addAndRead(
  { store, label }: CopyWork,
  beginning: string,
  suffix: 'age' | 'json',
  { bytes, isMaybeThere }: Sealed,
): Promise<Part> {
  const digest = sha256(bytes)
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    const name = objectName(beginning, digest, suffix, attempt)
    // Some stores break the connection off where a name is taken, while the bytes are still coming: that would look like a store that is away, each time.
    const there = isMaybeThere ? await store.read(name) : undefined
    const outcome = there === undefined ? await store.add(name, bytes) : 'taken'
    const back = there ?? (await store.read(name))
    if (back !== undefined && sha256(back) === digest) return { name, bytes: bytes.length, sha256: digest }
    if (back === undefined || outcome === 'added')
      throw new StoreFailure('changed', `the store ${label} gives back other bytes than it was given (${name})`)
  }
  throw new StoreFailure('changed', `the store ${label} has something else under every name of a part (${beginning})`)
}

async function copyFile(work: CopyWork, set: string, name: string, notesPath: string): Promise<IndexedFile> {
  const { partBytes = PART_BYTES } = work
  const notes = readNotes(notesPath)
  await using file = await open(join(work.sets, set, name))
  const { size } = await file.stat()
  const parts: Part[] = []
  for (let index = 0; index < partCount(size, partBytes); index++) {
    const noted = notes.get(`${name}/${index}`)
    const offset = index * partBytes
    const read = () => readSlice(file, offset, Math.min(partBytes, size - offset))
    const beginning = partBeginning(set, name, index)
    const part = noted ?? (await addAndRead(work, beginning, 'age', await sealedPart(work, beginning, read)))
    if (noted === undefined) {
      await appendFile(notesPath, `${JSON.stringify({ file: name, index, part } satisfies NotedPart)}\n`, {
        flush: true,
      })
    }
    parts.push(part)
    await work.onPart?.()
  }
  return { name, bytes: size, parts }
}

/** Where the notes of a store's copies are, one folder for each store. */
export function notesFolder({ state, label, recipient }: Pick<CopyWork, 'state' | 'label' | 'recipient'>): string {
  return join(state, sha256(`${label}\n${recipient}`).slice(0, 16))
}

/** Copies one set or base backup, or goes on with it. Throws a `StoreFailure` for what the store did not do, and an error for a set that is not whole. */
export async function copySet(work: CopyWork, set: string): Promise<CopyNote> {
  const folder = join(work.sets, set)
  await checkDigests(folder)
  const notes = notesFolder(work)
  await mkdir(notes, { recursive: true, mode: 0o700 })
  const notesPath = join(notes, `${set}.jsonl`)
  await dropTornLine(notesPath)
  const files: IndexedFile[] = []
  for (const name of filesOf(folder)) files.push(await copyFile(work, set, name, notesPath))
  const at = work.now().toISOString()
  const { recipient, partBytes = PART_BYTES } = work
  const text = indexText({ format: 1, set, copiedAt: at, recipient, partBytes, files })
  const { name: index } = await addAndRead(work, indexBeginning(set), 'json', {
    bytes: Buffer.from(text),
    isMaybeThere: false,
  })
  const bytes = files.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.bytes, 0)
  const note: CopyNote = { format: 1, store: work.label, index, at, bytes }
  await replaceFile(join(folder, COPY_NOTE), `${JSON.stringify(note)}\n`)
  for (const path of [notesPath, join(work.state, 'pending.json'), join(work.state, 'pending.age')])
    await rm(path, { force: true })
  return note
}

/** What a cut has left of a line is taken away, so that the next line does not become part of it. */
async function dropTornLine(path: string): Promise<void> {
  if (!existsSync(path)) return
  const text = readFileSync(path, 'utf8')
  if (text !== '' && !text.endsWith('\n')) await replaceFile(path, text.slice(0, text.lastIndexOf('\n') + 1))
}
