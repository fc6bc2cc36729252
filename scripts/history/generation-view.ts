/** What is shown of a run: its row in the table, and all of it. */
import type { GetFact } from '../core/host.ts'
import { type Generation, outcomeOf } from './entry.ts'
import { storedText } from './history-fact.ts'
import { type BeginRecord, type EndRecord, type HostState, parseBegin, parseEnd, parseState } from './run-record.ts'

/** The columns of the table. */
export const HISTORY_HEADER = ['run', 'begun (UTC)', 'by', 'verb', 'outcome', 'changes', 'release'] as const

/** Returns who ran it: the operator at their machine, and the accounts of the host that it went through. */
export function operatorOf({ begun: { operator, sshUser, sudoUser } }: Generation): string {
  const accounts = [...new Set([sshUser, sudoUser])].filter((name) => name !== '')
  return accounts.length === 0 ? operator : `${operator} as ${accounts.join(', ')}`
}

function verbOf({ begun: { verb, restored } }: Generation): string {
  return restored === undefined ? verb : `restored from ${restored}`
}

/** Returns the row of a run. */
export function historyRow(generation: Generation): readonly string[] {
  const { number, begun, end } = generation
  const changes = end?.kind === 'ended' ? String(end.applied) : '?'
  return [
    ...[String(number), begun.at.replace('T', ' ').replace('Z', ''), operatorOf(generation), verbOf(generation)],
    ...[outcomeOf(generation), changes, begun.release],
  ]
}

/** All that is kept of a run; `end` and `state` only of one that ended. */
export type GenerationRecord = Readonly<{
  begin: BeginRecord | undefined
  end: EndRecord | undefined
  state: HostState | undefined
}>

/** Reads it; records that are missing or damaged are undefined. */
export async function readGeneration(getFact: GetFact, { begun, end }: Generation): Promise<GenerationRecord> {
  const isEnded = end?.kind === 'ended'
  const [begin, record, state] = await Promise.all([
    storedText(getFact, begun.record),
    isEnded ? storedText(getFact, end.record) : undefined,
    isEnded ? storedText(getFact, end.state) : undefined,
  ])
  return { begin: parseBegin(begin), end: parseEnd(record), state: state === undefined ? undefined : parseState(state) }
}

function section(title: string, rows: readonly string[]): readonly string[] {
  return rows.length === 0 ? [] : ['', `${title}:`, ...rows.map((row) => `  ${row}`)]
}

/** Returns all of a run as lines. */
export function generationLines(generation: Generation, { begin, end, state }: GenerationRecord): readonly string[] {
  const { number, begun, end: ended } = generation
  const applied = end === undefined ? (begin?.planned ?? []) : end.applied
  return [
    `run ${number}: ${begun.verb} of release ${begun.release} by ${operatorOf(generation)}`,
    `begun ${begun.at}, ${outcomeOf(generation)}${ended === undefined ? '' : ` ${ended.at}`}`,
    ...(begun.plan === undefined ? [] : [`held to the plan ${begun.plan}`]),
    ...(begun.restored === undefined ? [] : [`restored from run ${begun.restored}`]),
    ...section(
      'settings',
      Object.entries(begin?.spec ?? {}).map(([key, value]) => `${key}: ${value}`),
    ),
    ...section('secrets provided', begin?.secrets ?? []),
    ...section(
      end === undefined ? 'changes planned' : 'changes applied',
      applied.map(({ resource, action }) => `${action}   [${resource}]`),
    ),
    ...section(
      'files',
      (state?.files ?? []).map(({ mode, owner, sha256, path }) => `${mode} ${owner} ${sha256.slice(0, 12)} ${path}`),
    ),
    ...section(
      'secrets, as they are encrypted',
      (state?.secrets ?? []).map(({ sha256, path }) => `${sha256.slice(0, 12)} ${path}`),
    ),
    ...section('images', state?.images ?? []),
    ...section(
      'units',
      (state?.units ?? []).map(({ unit, state: words }) => `${unit}: ${words}`),
    ),
  ]
}
