/**
 * Copies the archived log to a store: what was archived since the last time, in batches. PostgreSQL archives its segments in their order, so what is noted is the last one that was copied
 * of each cluster.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../backups/set-file.ts'
import { isAtOrAfter, isSegment } from '../backups/wal.ts'
import { addAndRead, type CopyWork, notesFolder, sealedPart } from './copy-set.ts'
import { PART_BYTES } from './part.ts'
import { ARCHIVED, type ArchivedSegment, batchBeginning, packSegments } from './wal-batch.ts'

/** By the cluster: the last segment that is in the store, and when that was archived. */
type WalNote = Readonly<Record<string, Readonly<{ last: string; archivedAt: string }>>>

function notePath(work: CopyWork): string {
  return join(notesFolder(work), 'wal.json')
}

function readNote(work: CopyWork): WalNote {
  const path = notePath(work)
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as WalNote) : {}
}

type Waiting = Readonly<{ systemId: string; segments: readonly string[] }>

/** What is archived and not copied, by cluster, in the order of the log. */
function waitingOf({ wal }: CopyWork, note: WalNote): readonly Waiting[] {
  if (wal === undefined || !existsSync(wal)) return []
  const clusters = readdirSync(wal).filter((name) => /^\d{1,20}$/.test(name))
  return clusters.map((systemId) => {
    const last = note[systemId]?.last
    const archived = readdirSync(join(wal, systemId)).filter((name) => name.endsWith(ARCHIVED))
    const names = archived.map((name) => name.slice(0, -ARCHIVED.length)).filter(isSegment)
    const isNew = (name: string) => last === undefined || !isAtOrAfter(last, name)
    return { systemId, segments: names.filter(isNew).toSorted() }
  })
}

function segmentPath({ wal = '' }: CopyWork, systemId: string, name: string): string {
  return join(wal, systemId, `${name}${ARCHIVED}`)
}

/** Reads the first of them, up to the size of a part; the first one is taken whatever its size. One that was let go meanwhile is passed by. */
async function readBatch(work: CopyWork, { systemId, segments }: Waiting): Promise<readonly ArchivedSegment[]> {
  const taken: ArchivedSegment[] = []
  let size = 0
  for (const name of segments) {
    const bytes = await readFile(segmentPath(work, systemId, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
    if (bytes === undefined) continue
    size += bytes.length
    if (taken.length > 0 && size > (work.partBytes ?? PART_BYTES)) break
    taken.push({ name, bytes })
  }
  return taken
}

async function copyBatch(work: CopyWork, systemId: string, taken: readonly ArchivedSegment[]): Promise<void> {
  const [first = '', last = ''] = [taken[0]?.name, taken.at(-1)?.name]
  const { mtime } = statSync(segmentPath(work, systemId, last))
  const beginning = batchBeginning(systemId, first, last)
  await addAndRead(work, beginning, 'age', await sealedPart(work, beginning, () => packSegments(taken)))
  const note = { ...readNote(work), [systemId]: { last, archivedAt: mtime.toISOString() } }
  await mkdir(notesFolder(work), { recursive: true, mode: 0o700 })
  await replaceFile(notePath(work), `${JSON.stringify(note)}\n`)
  for (const name of ['pending.json', 'pending.age']) await rm(join(work.state, name), { force: true })
}

/** Copies all that is archived and not in the store. Returns the number of segments. */
export async function copyWal(work: CopyWork): Promise<number> {
  let count = 0
  for (const { systemId } of waitingOf(work, readNote(work))) {
    for (;;) {
      const waiting = waitingOf(work, readNote(work)).find((each) => each.systemId === systemId)
      const taken = waiting === undefined ? [] : await readBatch(work, waiting)
      if (taken.length === 0) break
      await copyBatch(work, systemId, taken)
      count += taken.length
    }
  }
  return count
}

/** Since when the log waits, and until when it is in the store; undefined: nothing waits, nothing was copied. */
export function walState(work: CopyWork): Readonly<{ waitingSince: string | undefined; copiedAt: string | undefined }> {
  const note = readNote(work)
  const firsts = waitingOf(work, note).flatMap(({ systemId, segments: [first] }) =>
    first === undefined ? [] : [statSync(segmentPath(work, systemId, first), { throwIfNoEntry: false })?.mtime],
  )
  const oldest = (times: readonly (string | undefined)[]) => times.filter((time) => time !== undefined).toSorted()
  return {
    waitingSince: oldest(firsts.map((time) => time?.toISOString())).at(0),
    copiedAt: oldest(Object.values(note).map(({ archivedAt }) => archivedAt)).at(-1),
  }
}
