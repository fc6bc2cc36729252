/** One run of the copy: every verified backup that the store does not have, the newest first, and what is said of it afterwards. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isBackupName } from '../../contract/backup-name.ts'
import type { CopyRecord } from '../../contract/backup-store.ts'
import { replaceFile } from '../backups/set-file.ts'
import { COPY_NOTE, type CopyNote, type CopyWork, copySet, notesFolder } from './copy-set.ts'

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

/** The verified sets, the newest first, each with the note of its copy in this store. */
function setsOf({ sets, label }: CopyWork): readonly Readonly<{ name: string; copy: CopyNote | undefined }>[] {
  return readdirSync(sets)
    .filter((name) => isBackupName(name) && existsSync(join(sets, name, 'verified.json')))
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
        if (!existsSync(join(work.sets, notes.replace('.jsonl', '')))) await rm(join(folder, notes))
  }
}

/** Returns the record as the sets stand: what waits is what is newer than all that was copied. */
function recordOf(work: CopyWork, before: CopyRecord | undefined, problem: string | undefined): CopyRecord {
  const sets = setsOf(work)
  const at = work.now().toISOString()
  const known = before?.store === work.label ? before : undefined
  const isWaiting = sets[0] !== undefined && sets[0].copy === undefined
  // The note of a copy goes with its set; that there was one is known here.
  const copiedAt = [known?.copiedAt, ...sets.map(({ copy }) => copy?.at)]
    .filter((time) => time !== undefined)
    .toSorted()
    .at(-1)
  return {
    ...{ at, store: work.label, copiedAt, problem },
    waitingSince: isWaiting ? (known?.waitingSince ?? at) : undefined,
  }
}

/** Copies what waits. Returns the number of copies made. The record says how it went, also when this throws. */
export async function runCopy(given: CopyWork, log: (line: string) => void): Promise<number> {
  const path = join(given.state, RECORD_NAME)
  let last = readJson<CopyRecord>(path)
  const write = async (problem?: string): Promise<void> => {
    last = recordOf(given, last, problem)
    await replaceFile(path, `${JSON.stringify(last)}\n`)
  }
  const onPart = async (): Promise<void> => {
    if (given.now().getTime() - Date.parse(last?.at ?? '') > RECORD_MS) await write()
    await given.onPart?.()
  }
  let count = 0
  try {
    await removeStale(given)
    for (const { name } of setsOf(given).filter(({ copy }) => copy === undefined)) {
      const { bytes, index } = await copySet({ ...given, onPart }, name)
      log(`copied ${name} to ${given.label} (${bytes} bytes, ${index})`)
      count++
    }
    await write()
    return count
  } catch (error) {
    await write((error as Error).message)
    throw error
  }
}
