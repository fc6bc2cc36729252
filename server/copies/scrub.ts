/**
 * The scrub of the copies: once a week one set of the store, the next in turn, is read whole, and each part held against the digest that its index has. What a store loses silently is so
 * found before it is needed. A set that was found rotten is looked at again each time, until it is whole or gone.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../backups/set-file.ts'
import { sha256 } from '../core/hash.ts'
import { COPY_NOTE, type CopyNote, type CopyWork } from './copy-set.ts'
import { indexBeginning, objectOf, type Part, parseIndex } from './part.ts'

const WEEK_MS = 7 * 86_400_000
const NOTE = 'looked.json'

/** `at` is when a look was last begun, `last` the set that it was at, `isDone` whether it came to its end, `rotten` what was found, by set. */
type LookNote = Readonly<{
  store: string
  at: string
  last: string
  isDone: boolean
  rotten: Readonly<Record<string, string>>
}>

function readNote({ state, label, now }: CopyWork): LookNote {
  const path = join(state, NOTE)
  const note = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as LookNote) : undefined
  // What was just copied was read back.
  return note?.store === label ? note : { store: label, at: now().toISOString(), last: '', isDone: true, rotten: {} }
}

async function writeNote({ state }: CopyWork, note: LookNote): Promise<void> {
  await replaceFile(join(state, NOTE), `${JSON.stringify(note)}\n`)
}

/** What of the copies was found rotten, in words. */
export function rottenText(work: CopyWork): string | undefined {
  const [found] = Object.entries(readNote(work).rotten)
  return found === undefined ? undefined : `${found[0]}: ${found[1]}`
}

/** Returns the set after that one by name, the first one after the last; undefined without any. */
export function nextInTurn(sets: readonly string[], last: string): string | undefined {
  const sorted = sets.toSorted()
  return sorted.find((set) => set > last) ?? sorted[0]
}

/** The name of the index that was noted here when the set was copied. */
function notedIndex({ sets, label }: CopyWork, set: string): string | undefined {
  const path = join(sets, set, COPY_NOTE)
  const note = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as CopyNote) : undefined
  return note?.store === label ? note.index : undefined
}

/** Of a set that is no longer here it is the one that the store has. */
async function indexName(work: CopyWork, set: string): Promise<string | undefined> {
  const noted = notedIndex(work, set)
  if (noted !== undefined) return noted
  const indexes = (await work.store.list(indexBeginning(set))).toSorted((a, b) => a.modifiedMs - b.modifiedMs)
  return indexes.find(({ name }) => objectOf(name)?.isIndex)?.name
}

async function problemOf({ store, onPart }: CopyWork, { name, sha256: digest }: Part): Promise<string | undefined> {
  const bytes = await store.read(name)
  await onPart?.()
  if (bytes === undefined) return `${name} is missing`
  return sha256(bytes) === digest ? undefined : `${name} has other bytes than were copied there`
}

/** Reads a set in the store. Returns the first thing that is not as it was noted. */
async function lookAt(work: CopyWork, set: string): Promise<string | undefined> {
  const name = await indexName(work, set)
  const bytes = name === undefined ? undefined : await work.store.read(name)
  if (name === undefined || bytes === undefined) return `${name ?? 'its index'} is missing`
  const index = parseIndex(name, bytes)
  if (index === undefined) return `${name} has other bytes than were copied there`
  for (const part of index.files.flatMap(({ parts }) => parts)) {
    const problem = await problemOf(work, part)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** The sets of which the store has anything, and that were copied to their end: there is an index, or it is noted here that there was one. */
async function setsThere(work: CopyWork): Promise<readonly string[]> {
  const objects = (await work.store.list('tappass-')).flatMap(({ name }) => objectOf(name) ?? [])
  const whole = objects.filter(({ set, isIndex }) => isIndex || notedIndex(work, set) !== undefined)
  return [...new Set(whole.map(({ set }) => set))]
}

/** Looks at the next set when a week is over, and at those that were rotten. Returns the sets that were looked at. A look that was cut is made anew. */
export async function scrubCopies(work: CopyWork): Promise<readonly string[]> {
  const note = readNote(work)
  const isDue = work.now().getTime() - Date.parse(note.at) >= WEEK_MS
  if (note.isDone && !isDue) {
    if (!existsSync(join(work.state, NOTE))) await writeNote(work, note)
    return []
  }
  const there = await setsThere(work)
  const next = note.isDone ? nextInTurn(there, note.last) : note.last
  const before = { ...note, at: isDue ? work.now().toISOString() : note.at, last: next ?? '', isDone: false }
  await writeNote(work, before)
  const chosen = [...new Set([...(next === undefined ? [] : [next]), ...Object.keys(note.rotten)])].filter((set) =>
    there.includes(set),
  )
  const rotten: Record<string, string> = {}
  for (const set of chosen) {
    const problem = await lookAt(work, set)
    if (problem !== undefined) rotten[set] = problem
  }
  await writeNote(work, { ...before, isDone: true, rotten })
  return chosen
}
