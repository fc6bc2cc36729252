/**
 * One run of the copy: the archived log, every verified backup and every base backup that the store does not have, the newest first, and what is said of it afterwards. The log goes
 * before, and again after each part: it must not wait for a large backup.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { isBackupName, isBaseName } from '../../contract/backup-name.ts'
import type { CopyRecord } from '../../contract/backup-store.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { replaceFile } from '../backups/set-file.ts'
import { BASE_FILE } from '../backups/wal.ts'
import { COPY_NOTE, type CopyNote, type CopyWork, copySet, notesFolder } from './copy-set.ts'
import { copyWal, walState } from './copy-wal.ts'
import { rottenText, scrubCopies } from './scrub.ts'

/** The name of the record, in the folder of the copy's state. */
export const RECORD_NAME = 'last.json'

/** The record is written anew after a part when it is older than this: a long copy is no dead one. */
const RECORD_MS = 60_000

function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

type Kept = Readonly<{ name: string; copy: CopyNote | undefined }>

/** A set counts when it was verified, a base backup when it was started. */
function isProven(folder: string, name: string): boolean {
  if (isBackupName(name)) return existsSync(join(folder, name, 'verified.json'))
  return isBaseName(name) && existsSync(join(folder, name, BASE_FILE.signature))
}

/** Those that were proven, sets before base backups, the newest first, each with the note of its copy in this store. */
function provenOf({ sets, label }: CopyWork): readonly Kept[] {
  return readdirSync(sets)
    .filter((name) => isProven(sets, name))
    .toSorted()
    .toReversed()
    .map((name) => {
      const note = readJson<CopyNote>(join(sets, name, COPY_NOTE))
      return { name, copy: note?.store === label ? note : undefined }
    })
}

/** Notes of sets that are gone, and of stores that were given up. */
async function removeStale(work: CopyWork): Promise<void> {
  const current = notesFolder(work)
  const folders = readdirSync(work.state, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  for (const { name } of folders) {
    const folder = join(work.state, name)
    if (folder !== current) await rm(folder, { recursive: true })
    else
      for (const notes of readdirSync(folder))
        if (notes.endsWith('.jsonl') && !existsSync(join(work.sets, notes.replace('.jsonl', ''))))
          await rm(join(folder, notes))
  }
}

/** Returns the record as the sets stand: what waits is what is newer than all that was copied. */
function recordOf(work: CopyWork, before: CopyRecord | undefined, problem: string | undefined): CopyRecord {
  const sets = provenOf(work).filter(({ name }) => isBackupName(name))
  const wal = walState(work)
  const at = work.now().toISOString()
  const known = before?.store === work.label ? before : undefined
  const isWaiting = sets[0] !== undefined && sets[0].copy === undefined
  // The note of a copy goes with its set; that there was one is known here.
  const copiedAt = [known?.copiedAt, ...sets.map(({ copy }) => copy?.at)]
    .filter((time) => time !== undefined)
    .toSorted()
    .at(-1)
  return {
    ...{ at, store: work.label, copiedAt, problem, walWaitingSince: wal.waitingSince, walCopiedAt: wal.copiedAt },
    rotten: rottenText(work),
    waitingSince: isWaiting ? (known?.waitingSince ?? at) : undefined,
  }
}

/** Copies what waits, and what has come meanwhile: whoever starts it while it runs is not heard. On a host that is being made from a backup nothing waits. Returns how much of it there was. The record says how it went, also when this throws. */
export async function runCopy(given: CopyWork, log: (line: string) => void): Promise<number> {
  // What such a host has was fetched from there.
  if (existsSync(join(given.sets, basename(HOST_PATH.foundingNote)))) return 0
  const path = join(given.state, RECORD_NAME)
  let last = readJson<CopyRecord>(path)
  const write = async (problem?: string): Promise<void> => {
    last = recordOf(given, last, problem)
    await replaceFile(path, `${JSON.stringify(last)}\n`)
  }
  const onPart = async (): Promise<void> => {
    if (given.now().getTime() - Date.parse(last?.at ?? '') > RECORD_MS) await write()
    await given.onPart?.()
    await copyWal(given)
  }
  try {
    await removeStale(given)
    let count = 0
    for (;;) {
      count += await copyWal(given)
      const next = provenOf(given).find(({ copy }) => copy === undefined)
      if (next === undefined) break
      const { bytes, index } = await copySet({ ...given, onPart }, next.name)
      log(`copied ${next.name} to ${given.label} (${bytes} bytes, ${index})`)
      count++
    }
    for (const set of await scrubCopies({ ...given, onPart })) log(`looked at ${set} in ${given.label} again`)
    await write()
    return count
  } catch (error) {
    await write((error as Error).message)
    throw error
  }
}
