/** The log of runs on a host: one file an entry, two entries a run, each with the digest of the one before. */
import * as v from 'valibot'
import { sha256Of } from '../core/sha256.ts'

const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const place = {
  number: v.number(),
  at: v.string(),
  /** The SHA-256 of the entry before, empty for the first. */
  previous: v.union([v.literal(''), digest]),
}

const begun = v.object({
  ...place,
  kind: v.literal('begun'),
  /** Who typed the command, and where; as which account of the host, by whose sudo. */
  operator: v.string(),
  sshUser: v.string(),
  sudoUser: v.string(),
  verb: v.string(),
  release: v.string(),
  /** The digest of the plan on file that the run was held to. */
  plan: v.optional(v.string()),
  /** The number of the run whose settings it was given. */
  restored: v.optional(v.number()),
  record: digest,
})
const ended = v.object({
  ...place,
  kind: v.literal('ended'),
  outcome: v.string(),
  applied: v.number(),
  record: digest,
  state: digest,
})
/** Written by the next run: this one was killed, or lost its connection. */
const interrupted = v.object({ ...place, kind: v.literal('interrupted') })

const schema = v.variant('kind', [begun, ended, interrupted])

/** An entry as it stands in its file. `record` and `state` are digests of texts in the content store. */
export type Entry = v.InferOutput<typeof schema>

/** A run: how it began, and how it ended; without an end it goes on, or was killed since. */
export type Generation = Readonly<{
  number: number
  begun: v.InferOutput<typeof begun>
  end?: v.InferOutput<typeof ended> | v.InferOutput<typeof interrupted>
}>

/** A file of the log: its name, its digest by the host, and its text. */
export type EntryFile = Readonly<{ name: string; sha256: string; text: string }>

/** The log as it was read. `content` are the names in the content store, `damaged` those whose content is not what the name says. */
export type RawHistory = Readonly<{
  files: readonly EntryFile[]
  content: ReadonlySet<string>
  damaged: readonly string[]
}>

/** The log with what is wrong with it. `head` is the digest of the last entry: whoever keeps it elsewhere can tell later that nothing was cut off. */
export type History = Readonly<{ generations: readonly Generation[]; problems: readonly string[]; head: string }>

function parseEntry(text: string): Entry | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(text))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** Returns the name of an entry's file. */
export function entryName({ number, kind }: Pick<Entry, 'number' | 'kind'>): string {
  return `${String(number).padStart(6, '0')}-${kind}.json`
}

function sequenceProblem(entry: Entry, before: Entry | undefined): string | undefined {
  if (entry.kind === 'begun') {
    if (entry.number !== (before?.number ?? 0) + 1) return 'the run before it is missing'
    return before?.kind === 'begun' ? 'the end of the run before it is missing' : undefined
  }
  return before?.kind === 'begun' && before.number === entry.number ? undefined : 'its begin is missing'
}

function contentProblems(entry: Entry, { content, damaged }: RawHistory): readonly string[] {
  if (entry.kind === 'interrupted') return []
  const digests = entry.kind === 'begun' ? [entry.record] : [entry.record, entry.state]
  return digests.flatMap((each) => {
    if (damaged.includes(each)) return [`its record ${each} was changed`]
    return content.has(each) ? [] : [`its record ${each} is missing`]
  })
}

function entryProblems(
  file: EntryFile,
  entry: Entry | undefined,
  before: EntryFile | undefined,
  last: Entry | undefined,
) {
  if (sha256Of(file.text) !== file.sha256) return ['it was not read whole']
  if (entry === undefined) return ['it is no entry']
  if (entryName(entry) !== file.name) return [`it is the one of ${entryName(entry)}`]
  const chain =
    entry.previous === (before?.sha256 ?? '') ? [] : ['the entry before it is not the one that it was written after']
  return [...chain, ...[sequenceProblem(entry, last) ?? []].flat()]
}

/** Recomputes the chain. Pure. Each problem names the entry at which it shows. */
export function verifyHistory(raw: RawHistory): History {
  const problems: string[] = []
  const generations = new Map<number, Generation>()
  let last: Entry | undefined
  for (const [index, file] of raw.files.entries()) {
    const entry = parseEntry(file.text)
    const found = [
      ...entryProblems(file, entry, raw.files[index - 1], last),
      ...(entry === undefined ? [] : contentProblems(entry, raw)),
    ]
    problems.push(...found.map((problem) => `${file.name}: ${problem}`))
    if (entry?.kind === 'begun') generations.set(entry.number, { number: entry.number, begun: entry })
    const standing = generations.get(entry?.number ?? 0)
    if (entry !== undefined && entry.kind !== 'begun' && standing !== undefined)
      generations.set(entry.number, { ...standing, end: entry })
    last = entry
  }
  return { generations: [...generations.values()], problems, head: raw.files.at(-1)?.sha256 ?? '' }
}

/** Returns how a run ended, in a word. */
export function outcomeOf({ end }: Generation): string {
  if (end === undefined) return 'not ended'
  return end.kind === 'interrupted' ? 'interrupted' : end.outcome
}
