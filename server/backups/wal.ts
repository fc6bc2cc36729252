/** Segments of PostgreSQL's log (WAL) and base backups: which moments they reach, and which of them are needed no more. Pure. */
import * as v from 'valibot'

/** A segment has 16 MB. */
const SEGMENT_BITS = 24n
const SEGMENTS_PER_FILE = 2n ** (32n - SEGMENT_BITS)

const DIGEST = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const SEGMENT = v.pipe(v.string(), v.regex(/^[0-9A-F]{24}$/))

const BASE = v.object({
  format: v.literal(1),
  name: v.string(),
  takenAt: v.pipe(v.string(), v.isoTimestamp()),
  endedAt: v.pipe(v.string(), v.isoTimestamp()),
  release: v.string(),
  postgres: v.optional(v.pipe(v.number(), v.safeInteger())),
  systemId: v.pipe(v.string(), v.regex(/^\d{1,20}$/)),
  firstWal: SEGMENT,
  lastWal: SEGMENT,
  bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  sha256: DIGEST,
  rows: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
})

/**
 * What is noted of a base backup: a copy of the cluster's files, which is whole only with the segments from `firstWal` to `lastWal`. `systemId` is the cluster's, `postgres` the major
 * version that it is of, `rows` what was
 * counted in it when it was started as a proof.
 */
export type BaseBackup = Readonly<v.InferOutput<typeof BASE>>

/** The names of the files of a base backup. The signature is written when it was proven. */
export const BASE_FILE = { tar: 'base.tar.gz', note: 'base.json', signature: 'base.json.sig' } as const

/** Returns the note of a base backup; undefined for what is none. */
export function parseBaseBackup(text: string): BaseBackup | undefined {
  try {
    const parsed = v.safeParse(BASE, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}

/** The number of a segment, whatever its timeline. */
function numberOf(segment: string): bigint {
  return BigInt(`0x${segment.slice(8, 16)}`) * SEGMENTS_PER_FILE + BigInt(`0x${segment.slice(16)}`)
}

function hex(value: bigint): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}

/** Returns the name of the segment that a position (`0/2000138`) is in, or ends. Throws for what is no position. */
export function segmentOf(timeline: number, position: string, isEnd = false): string {
  const [, high, low] = /^([0-9A-F]+)\/([0-9A-F]+)$/.exec(position) ?? []
  if (high === undefined || low === undefined) throw new Error(`${position} is no position in the log`)
  const bytes = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) - (isEnd ? 1n : 0n)
  const number = bytes >> SEGMENT_BITS
  return hex(BigInt(timeline)) + hex(number / SEGMENTS_PER_FILE) + hex(number % SEGMENTS_PER_FILE)
}

/** Whether a name is that of a segment. */
export function isSegment(name: string): boolean {
  return /^[0-9A-F]{24}$/.test(name)
}

/** How far the segments go from that one on without a gap. Undefined: not even it is there. */
export function reachOf(first: string, segments: readonly string[]): string | undefined {
  const byNumber = new Map(segments.filter(isSegment).map((name) => [numberOf(name), name]))
  let number = numberOf(first)
  while (byNumber.has(number)) number += 1n
  return byNumber.get(number - 1n)
}

/** Whether the one segment is the other or after it. */
export function isAtOrAfter(one: string, other: string): boolean {
  return numberOf(one) >= numberOf(other)
}

/** Why a base backup can't be started; undefined: it can. One that still waits for a segment is not good. */
export function baseProblem({ firstWal, lastWal }: BaseBackup, segments: readonly string[]): string | undefined {
  const reach = reachOf(firstWal, segments)
  if (reach !== undefined && isAtOrAfter(reach, lastWal)) return undefined
  const missing = reach === undefined ? firstWal : lastWal
  return `it waits for its WAL: ${missing} is not archived`
}

/** A base backup, and what is wrong with it. */
export type JudgedBaseBackup = BaseBackup & Readonly<{ problem: string | undefined }>

/** Returns the newest base that ended before that moment, and can be started. */
export function baseFor(bases: readonly JudgedBaseBackup[], timeMs: number): JudgedBaseBackup | undefined {
  return bases
    .filter(({ problem, endedAt }) => problem === undefined && Date.parse(endedAt) <= timeMs)
    .toSorted((one, other) => Date.parse(one.endedAt) - Date.parse(other.endedAt))
    .at(-1)
}

const DAY_MS = 86_400_000

/**
 * Returns the names of the bases that no moment of the last `days` needs: all but the newest before that time and what is newer. The newest that can be started always stays, and
 * one that can't goes once a newer one can.
 */
export function expiredBases(bases: readonly JudgedBaseBackup[], nowMs: number, days: number): readonly string[] {
  const oldest = baseFor(bases, nowMs - days * DAY_MS)
  const newest = baseFor(bases, nowMs)
  const since = Math.min(...[oldest, newest].flatMap((base) => (base === undefined ? [] : [Date.parse(base.endedAt)])))
  const isNeeded = ({ endedAt, problem }: JudgedBaseBackup) =>
    days > 0 &&
    (problem === undefined
      ? Date.parse(endedAt) >= (oldest === undefined ? 0 : since)
      : Date.parse(endedAt) > Date.parse(newest?.endedAt ?? '1970-01-01'))
  return bases.filter((base) => !isNeeded(base)).map(({ name }) => name)
}

/** Returns the segments of a cluster that no base of it needs; all of them without a base. `names` may hold histories of timelines, which stay. */
export function expiredSegments(names: readonly string[], bases: readonly BaseBackup[]): readonly string[] {
  const firsts = bases.map(({ firstWal }) => numberOf(firstWal))
  const oldest = firsts.reduce<bigint | undefined>(
    (least, each) => (least === undefined || each < least ? each : least),
    undefined,
  )
  return names.filter((name) => {
    const segment = name.split('.')[0] ?? ''
    return isSegment(segment) && (oldest === undefined || numberOf(segment) < oldest)
  })
}
