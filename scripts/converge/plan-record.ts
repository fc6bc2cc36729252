/** A plan of one host as it is kept in a file: what it was made from, and every change by its digests. No secret, and of one that is provided no digest that could be guessed from. */
import { scryptSync } from 'node:crypto'
import { digestOf } from '../core/canonical.ts'
import { describeCommand } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { Change } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import type { AskedFact, Plan } from './plan.ts'
import { decidedDuringRun } from './plan-reach.ts'

/** A command: for people, and by the digests of its arguments and of its standard input (`secret`: of that nothing is kept). */
type CommandRecord = Readonly<{ run: string; sha256: string; stdin?: string }>

/** A change with its commands; `sha256` is over what it does, not over the reason. */
export type ChangeRecord = Readonly<{
  action: string
  reason: string
  sha256: string
  commands: readonly CommandRecord[]
}>

/** A resource: what it asked, with the answers, and what it wants to change. */
export type ResourceRecord = Readonly<{
  resource: string
  facts: Readonly<Record<string, string>>
  changes: readonly ChangeRecord[]
}>

/**
 * The plan of a host. `spec` has every setting of the specification by its path. `facts` is the digest of all answers. `duringRun` are the resources whose changes may become
 * others because of changes before them.
 */
export type HostPlan = Readonly<{
  spec: Readonly<Record<string, string>>
  facts: string
  resources: readonly ResourceRecord[]
  duringRun: readonly string[]
}>

function stdinRecord({ stdin, isSecret }: Command): Readonly<{ stdin?: string }> {
  if (stdin === undefined) return {}
  if (isSecret === true) return { stdin: 'secret' }
  if (typeof stdin === 'string' || stdin instanceof Uint8Array) return { stdin: sha256Of(stdin) }
  return { stdin: stdin.identity ?? 'stream' }
}

function commandRecord(command: Command): CommandRecord {
  return { run: describeCommand(command), sha256: digestOf(command.argv), ...stdinRecord(command) }
}

/** Returns the record of a change, without what only renews what the host knows of others. */
export function changeRecord({ action, reason, commands }: Change): ChangeRecord {
  const records = commands.filter(({ isRenewal }) => isRenewal !== true).map(commandRecord)
  return { action, reason, sha256: digestOf([action, records]), commands: records }
}

/** Longer answers are kept as a digest. */
const ANSWER_CHARS_MAX = 200

function answerOf({ fact, value }: AskedFact): string | undefined {
  const planned = fact.planned === undefined ? (value ?? 'nothing') : fact.planned(value)
  if (planned === undefined) return undefined
  const text = typeof planned === 'string' ? planned : JSON.stringify(planned)
  return text.length > ANSWER_CHARS_MAX ? `sha256:${digestOf(planned)}` : text
}

const QUESTION_CHARS_MAX = 80

function questionOf({ fact }: AskedFact): string {
  const { query, subject } = fact
  const name = query.argv[0] === 'sh' ? 'ask' : query.argv[0]
  const words = subject === undefined ? describeCommand(query).slice(0, QUESTION_CHARS_MAX) : `${name} ${subject}`
  // Two questions may begin alike.
  return `${words} [${digestOf(query.argv).slice(0, 6)}]`
}

function factsRecord(asked: readonly AskedFact[]): Readonly<Record<string, string>> {
  const rows = asked.flatMap((each) => {
    const answer = answerOf(each)
    return answer === undefined ? [] : [[questionOf(each), answer] as const]
  })
  return Object.fromEntries(rows.toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** What a file of the controller is told by: its id as an image, or its digest. */
function digestOfFile(value: object): string | undefined {
  if (!('file' in value)) return undefined
  const { imageId, sha256 } = value as Readonly<{ imageId?: string; sha256?: string }>
  return imageId ?? sha256
}

/** Returns the rows `gateway.callsMax: 100` of a value. */
function leaves(value: unknown, path: readonly string[]): readonly (readonly [string, string])[] {
  if (value === undefined || typeof value === 'function') return []
  const file = typeof value === 'object' && value !== null ? digestOfFile(value) : undefined
  if (file !== undefined) return [[path.join('.'), file]]
  if (typeof value !== 'object' || value === null) return [[path.join('.'), String(value)]]
  return Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, key]))
}

/** Returns every setting by its path, without secrets. Files of the controller stand by what is in them, wherever they are. */
export function settingRows(spec: HostSpec): Readonly<Record<string, string>> {
  const { secrets: ___, release: _, written: __, ...settings } = spec
  return Object.fromEntries(leaves(settings, []))
}

/** Returns every setting. A provided secret is told by what is derived from it with `salt`, slowly: a weak one can't be guessed from the file. */
export function specRecord(spec: HostSpec, salt: string): Readonly<Record<string, string>> {
  const secretRows = Object.entries(spec.secrets).map(
    ([id, { sha256 }]) => [`secrets.${id}`, scryptSync(sha256, salt, 32).toString('hex')] as const,
  )
  return { ...settingRows(spec), ...Object.fromEntries(secretRows) }
}

/** Returns the record of a plan. `salt` is that of the file. */
export function hostPlanOf(plan: Plan, spec: HostSpec, salt: string): HostPlan {
  const changes = new Map(plan.planned.map((each) => [each.resource.id, each.changes]))
  const resources = [...plan.asked].map(([resource, asked]) => ({
    resource,
    facts: factsRecord(asked),
    changes: (changes.get(resource) ?? []).map(changeRecord),
  }))
  const facts = digestOf(resources.map(({ resource, facts }) => [resource, facts]))
  return { spec: specRecord(spec, salt), facts, resources, duringRun: decidedDuringRun(plan) }
}
