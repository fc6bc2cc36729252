/** What a look for drift has found, as it stands on the host: one JSON file, read by `status` and whoever else may. */
import * as v from 'valibot'

const who = v.variant('kind', [
  /** The system's log names the account and a command about just this. */
  v.object({ kind: v.literal('account'), account: v.string(), by: v.string(), command: v.string() }),
  /** The package manager's log says it; `account` only where it names one. */
  v.object({ kind: v.literal('packages'), command: v.string(), account: v.optional(v.string()) }),
  /** Nobody is named: these had root's rights then. */
  v.object({ kind: v.literal('present'), sessions: v.array(v.string()) }),
  /** A run of ours wrote it so; what it is made from is another now. */
  v.object({ kind: v.literal('run'), number: v.number() }),
  v.object({ kind: v.literal('unknown') }),
])

const finding = v.object({
  resource: v.string(),
  /** What would put it back, and why that is needed. */
  action: v.string(),
  reason: v.string(),
  /** When the host itself says that it was last changed. */
  changedAt: v.optional(v.string()),
  /** The first look that saw it. */
  seenAt: v.string(),
  who,
})

const schema = v.object({
  at: v.string(),
  check: v.string(),
  /** The run that the host was compared with. */
  run: v.optional(v.number()),
  /** The last entry of the log at that time: after another run nothing of this counts. */
  head: v.string(),
  /** Why it could not be compared. */
  problem: v.optional(v.string()),
  findings: v.array(finding),
  /** Why the host can't put it back by itself. */
  obstacles: v.array(v.string()),
})

/** Who changed something, as far as the system can tell. */
export type Who = v.InferOutput<typeof who>

/** Something that is not as the last run left it. */
export type DriftFinding = v.InferOutput<typeof finding>

/** The record of a look. */
export type DriftRecord = v.InferOutput<typeof schema>

/** Returns the record in the file; undefined for a text that is none. */
export function parseDriftRecord(text: string | undefined): DriftRecord | undefined {
  try {
    const result = v.safeParse(schema, JSON.parse(text ?? ''))
    return result.success ? result.output : undefined
  } catch {
    return undefined
  }
}

/** Returns who it was, for people. */
export function whoText(found: Who): string {
  switch (found.kind) {
    case 'account':
      return `by ${found.account} (${found.by}: ${found.command})`
    case 'packages':
      return `by the package manager (${found.command})${found.account === undefined ? '' : ` for ${found.account}`}`
    case 'present':
      return `by whom is not told; with root’s rights then: ${found.sessions.join(', ')}`
    case 'run':
      return `as run ${found.number} left it, from what was another then (memory, addresses, other settings)`
    case 'unknown':
      return 'by whom is unknown'
  }
}

/** Returns a finding as one line. */
export function findingText({ resource, action, reason, changedAt, seenAt, who: found }: DriftFinding): string {
  const since = changedAt === undefined ? `seen first ${seenAt}` : `changed ${changedAt}`
  return `${resource}: ${reason} (${action}); ${since}, ${whoText(found)}`
}

type Judged = Readonly<{ name: string; state: string; isWell: boolean }>

const DUE_SECONDS: Readonly<Record<string, number>> = { hourly: 2 * 3600 + 1800, daily: 2 * 86_400 + 3600 }

/** Returns the conditions of a host from the text of its record; none without one. `head` is the last entry of its log now. */
export function judgeDrift(text: string, head: string, nowSeconds: number): readonly Judged[] {
  if (text === '') return []
  const record = parseDriftRecord(text)
  const name = 'drift'
  if (record === undefined) return [{ name, state: 'what the look has found cannot be read', isWell: false }]
  const seconds = nowSeconds - Date.parse(record.at) / 1000
  if (seconds > (DUE_SECONDS[record.check] ?? Number.POSITIVE_INFINITY))
    return [{ name, state: `the last look was at ${record.at}`, isWell: false }]
  if (head !== '' && head !== record.head)
    return [{ name, state: 'a run was made since the last look; the next one compares with it', isWell: true }]
  if (record.problem !== undefined)
    return [{ name, state: `not compared at ${record.at}: ${record.problem}`, isWell: false }]
  if (record.findings.length === 0)
    return [{ name, state: `none at ${record.at}, compared with run ${record.run}`, isWell: true }]
  return record.findings.map((each) => ({ name, state: findingText(each), isWell: false }))
}
