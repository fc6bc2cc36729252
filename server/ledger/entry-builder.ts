/** Builds the entries of the ledger: kinds, pointers, counts, sizes and commitments, never text. */
import type { Call } from '../core/call.ts'
import type { Entry } from '../core/entry.ts'
import type { Finding } from '../core/finding.ts'
import { sha256 } from '../core/hash.ts'
import type { Clock, Random } from '../core/ports.ts'
import type { StepOutcome } from '../core/step.ts'
import { ulid } from '../core/ulid.ts'
import type { Verdict } from '../core/verdict.ts'
import { safePointer } from './safe-pointer.ts'
import { taintDetails } from './taint-details.ts'

/** Findings of a step that an entry lists; of more it holds the count only. */
const FINDINGS_LISTED_MAX = 20

/** Details of an entry beside the decision: where a call went, the response's status, the progress of a stream. */
export type EntryDetails = Readonly<{
  event?: string
  events?: number
  judgements?: number
  path?: string
  released_bytes?: number
  released_commitment?: string
  status?: number
  upstream?: string | null
}>

/** What all entries of a process share. */
export type EntryContext = Readonly<{ clock: Clock; random: Random }>

/**
 * The texts that an entry commits to: what was judged, and what of it leaves when something was taken out. `salt`, when
 * there is one already.
 */
export type EntryContents = Readonly<{ content: string; released?: string | undefined; salt?: string | undefined }>

/** Given a judged call, returns its entry. */
export function decisionEntry(
  context: EntryContext,
  call: Call,
  outcomes: readonly StepOutcome[],
  verdict: Verdict,
  { content, released, salt = newSalt(context.random) }: EntryContents,
  details: EntryDetails,
): Entry {
  const isRefused = verdict.action === 'block' || verdict.action === 'hold'
  const reasons = 'reasons' in verdict ? verdict.reasons : []
  return {
    auditId: `ae_${ulid(context.clock, context.random)}`,
    tsMs: context.clock.nowMs(),
    eventKind: 'chat',
    eventType: `govern_${verdict.action}`,
    severity: isRefused ? 'warn' : 'info',
    decision: verdict.action,
    stepName: reasons[0]?.step ?? null,
    ...callColumns(call),
    classification: verdict.classification,
    policy: verdict.policy,
    decisionId: verdict.decisionId,
    details: detailsOf(
      call,
      outcomes,
      verdict,
      released === undefined
        ? details
        : { ...details, released_bytes: Buffer.byteLength(released), released_commitment: commitment(salt, released) },
      commitment(salt, content),
    ),
    salt,
  }
}

/** Members in the order of their names, which makes their canonical form cheap. */
function detailsOf(
  call: Call,
  outcomes: readonly StepOutcome[],
  verdict: Verdict,
  details: EntryDetails,
  committed: string,
): Entry['details'] {
  const { findings, notDone, steps } = stepDetails(outcomes)
  return {
    agent_uuid: call.agent.uuid,
    bytes: call.bodyBytes,
    client_request_id: call.clientId,
    commitment: committed,
    credential: call.agent.credential,
    event: details.event,
    events: details.events,
    findings,
    flags: call.flags,
    judgements: details.judgements,
    not_done: notDone,
    path: details.path,
    reasons: 'reasons' in verdict ? verdict.reasons : [],
    redacted: verdict.action === 'redact' ? verdict.kinds : [],
    // A request without a model server that takes it goes nowhere.
    released: (verdict.action === 'allow' || verdict.action === 'redact') && details.upstream !== null,
    released_bytes: details.released_bytes,
    released_commitment: details.released_commitment,
    segments: call.segmentCount ?? call.segments.length,
    stage: call.stage,
    status: details.status,
    steps,
    stream: call.isStream,
    ...taintDetails(verdict.taint),
    upstream: details.upstream,
  }
}

/** An entry without a decision: the model server failed, the client disconnected, the stream ended. */
export function eventEntry(
  context: EntryContext,
  call: Call,
  eventType: string,
  severity: Entry['severity'],
  details: Entry['details'],
  outcome: Partial<Pick<Entry, 'decision' | 'classification' | 'salt'>> = {},
): Entry {
  return {
    auditId: `ae_${ulid(context.clock, context.random)}`,
    tsMs: context.clock.nowMs(),
    eventKind: 'chat',
    eventType,
    severity,
    decision: outcome.decision ?? null,
    stepName: null,
    ...callColumns(call),
    classification: outcome.classification ?? null,
    policy: null,
    decisionId: null,
    details: {
      ...taintDetails({ all: call.taint ?? [], found: [] }),
      ...details,
      stage: call.stage,
      stream: call.isStream,
      agent_uuid: call.agent.uuid,
      credential: call.agent.credential,
    },
    salt: outcome.salt,
  }
}

/** An entry that is about no call: its kind and type, and what else of it is known. */
export function plainEntry(
  { clock, random }: EntryContext,
  known: Pick<Entry, 'eventKind' | 'eventType' | 'details'> & Partial<Entry>,
): Entry {
  return {
    auditId: `ae_${ulid(clock, random)}`,
    tsMs: clock.nowMs(),
    severity: 'info',
    decision: null,
    stepName: null,
    orgId: null,
    agentId: null,
    sessionId: null,
    requestId: null,
    model: null,
    classification: null,
    policy: null,
    decisionId: null,
    ...known,
  }
}

/** An entry about the agent registry: who did what to which agent. */
export function adminEntry(
  context: EntryContext,
  eventType: string,
  agent: Readonly<{ agent_id: string; agent_uuid: string; org_id: string; spiffe_id: string | null }>,
  actor: string,
  requestId: string,
): Entry {
  const details = { agent_uuid: agent.agent_uuid, by: actor, spiffe_id: agent.spiffe_id ?? undefined }
  const about = { orgId: agent.org_id, agentId: agent.agent_id, requestId }
  return plainEntry(context, { eventKind: 'admin', eventType, details, ...about })
}

function callColumns(call: Call) {
  return {
    orgId: call.agent.org,
    agentId: call.agent.id,
    sessionId: call.session ?? null,
    requestId: call.id,
    model: call.model === '' ? null : modelName(call.model),
  }
}

/** Stands for a model's name in which something was found. */
export const WITHHELD_MODEL = '(withheld)'

/** The model's name comes from the client; anything that can't be a name is not recorded, for it may be any text. */
export function modelName(model: string): string {
  return model === WITHHELD_MODEL || /^[\w./:@+-]{1,128}$/.test(model) ? model : '(not a model name)'
}

/**
 * SHA-256 over a salt and the content: whoever has the salt can prove what the content was, and nobody else can test
 * guesses.
 */
export function commitment(salt: string, content: string): string {
  return sha256(salt + content)
}

/** A new salt: 32 bytes, in hex. */
export function newSalt(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex')
}

/** What steps did, sorted by name: time in microseconds, findings, why one did not run. */
function stepDetails(
  outcomes: readonly StepOutcome[],
): Readonly<Record<'findings' | 'notDone' | 'steps', object | undefined>> {
  const steps: Record<string, number> = {}
  const findings: Record<string, object> = {}
  const notDone: Record<string, object> = {}
  for (const outcome of sortedByName(outcomes)) {
    steps[outcome.step] = Math.round(outcome.ms * 1000)
    if (outcome.status !== 'done') notDone[outcome.step] = { reason: outcome.reason, status: outcome.status }
    else if (outcome.findings.length > 0) findings[outcome.step] = listedFindings(outcome.findings)
  }
  return { findings: nonEmpty(findings), notDone: nonEmpty(notDone), steps }
}

function listedFindings(findings: readonly Finding[]): object {
  return { count: findings.length, listed: findings.slice(0, FINDINGS_LISTED_MAX).map(findingDetails) }
}

function nonEmpty(members: object): object | undefined {
  return Object.keys(members).length > 0 ? members : undefined
}

/** By insertion: they are ten, and the runtime's own way of sorting makes six lists more for them. */
function sortedByName(outcomes: readonly StepOutcome[]): readonly StepOutcome[] {
  const sorted: StepOutcome[] = []
  for (const outcome of outcomes) {
    let at = sorted.length
    for (; at > 0 && (sorted[at - 1] as StepOutcome).step > outcome.step; at--)
      sorted[at] = sorted[at - 1] as StepOutcome
    sorted[at] = outcome
  }
  return sorted
}

function findingDetails({ kind, severity, confidence, pointer, span }: Finding): object {
  return { confidence, kind, pointer: safePointer(pointer), severity, span }
}
