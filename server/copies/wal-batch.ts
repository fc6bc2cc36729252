/**
 * How the archived log stands in a store: segments that follow each other, as they were archived (`NAME.gz`), in one tar, sealed, one object. A batch says in its name what is in it and
 * needs no index; an idle server makes none, and one that was away for a day sends what waits in a few. Pure, but for the sealing.
 */
import { packTar, unpackTar } from 'modern-tar'
import { isAtOrAfter, isSegment } from '../backups/wal.ts'
import { sha256 } from '../core/hash.ts'
import { openPart } from './sealed-part.ts'

/** The end of the name of an archived segment. */
export const ARCHIVED = '.gz'

/** The log of a cluster begins its names so. */
export function walBeginning(systemId: string): string {
  return `wal-${systemId}.`
}

/** The beginning of the names of the batch with those segments. */
export function batchBeginning(systemId: string, first: string, last: string): string {
  return `${walBeginning(systemId)}${first}-${last}.`
}

const BATCH = /^wal-(\d{1,20})\.([0-9A-F]{24})-([0-9A-F]{24})\.([0-9a-f]+)(?:-\d+)?\.age$/

/** What a batch has in it, by its name; `digest` begins its SHA-256. */
export type Batch = Readonly<{ name: string; systemId: string; first: string; last: string; digest: string }>

/** Returns what an object's name says; undefined for one that is no batch. */
export function parseBatch(name: string): Batch | undefined {
  const [, systemId, first, last, digest] = BATCH.exec(name) ?? []
  if (systemId === undefined || first === undefined || last === undefined || digest === undefined) return undefined
  return { name, systemId, first, last, digest }
}

/** Returns the batches that have a segment from that one on. */
export function batchesFrom(batches: readonly Batch[], first: string): readonly Batch[] {
  return batches.filter(({ last }) => isAtOrAfter(last, first))
}

/** A segment as it was archived. */
export type ArchivedSegment = Readonly<{ name: string; bytes: Uint8Array }>

/** Returns the tar of segments. */
export async function packSegments(segments: readonly ArchivedSegment[]): Promise<Uint8Array> {
  const entries = segments.map(({ name, bytes }) => ({
    header: { name: `${name}${ARCHIVED}`, size: bytes.length, mode: 0o600, type: 'file' as const, mtime: new Date(0) },
    body: bytes,
  }))
  return await packTar(entries)
}

/** Opens a batch. Throws for another identity, and for bytes that were changed. */
export async function openBatch(identity: string, sealed: Uint8Array): Promise<readonly ArchivedSegment[]> {
  const members = await unpackTar(new Uint8Array(await openPart(identity, sealed)))
  return members.flatMap(({ header, data }) => {
    const name = header.name.slice(0, -ARCHIVED.length)
    return header.name.endsWith(ARCHIVED) && isSegment(name) ? [{ name, bytes: data ?? new Uint8Array() }] : []
  })
}

/** Whether bytes are those that a batch's name speaks of. */
export function isOfBatch({ digest }: Batch, bytes: Uint8Array): boolean {
  return sha256(bytes).startsWith(digest)
}
