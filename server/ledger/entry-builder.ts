/** Turns what happened to a call into an entry of the ledger: kinds, pointers, counts, sizes and commitments, never text. */
import type { Call } from '../core/call.ts'
import type { Entry } from '../core/entry.ts'
import type { Finding } from '../core/finding.ts'
import { sha256 } from '../core/hash.ts'
import type { Clock, Random } from '../core/ports.ts'
import type { StepOutcome } from '../core/step.ts'
import { ulid } from '../core/ulid.ts'
import type { Verdict } from '../core/verdict.ts'
import { API_KEYS, KEY_SUFFIX } from '../protocol/projection.ts'

/** Findings of a step that an entry lists one by one; of the rest it holds the number. */
const FINDINGS_LISTED_MAX = 20

/** Names of the API, so that a pointer made of them tells where something stood and nothing of what stood there. */
const API_NAMES = new Set([
  ...API_KEYS,
  ...'choices id input model name prompt refusal role text tools type url user'.split(' '),
])

/** What an entry says beside the judgement: where a call went, what came back, how far a stream had got. */
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

/** What is constant for all entries of a process. `commitmentKey` salts commitments, and stays secret. */
export type EntryContext = Readonly<{ clock: Clock; random: Random; commitmentKey: Uint8Array }>

/** Given a judged call, returns its entry. `content` is the text that is committed to (what was judged, as JSON). */
export function decisionEntry(
  context: EntryContext,
  call: Call,
  outcomes: readonly StepOutcome[],
  verdict: Verdict,
  content: string,
  details: EntryDetails,
): Entry {
  const auditId = `ae_${ulid(context.clock, context.random)}`
  const isRefused = verdict.action === 'block' || verdict.action === 'hold'
  const reasons = 'reasons' in verdict ? verdict.reasons : []
  return {
    auditId,
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
    details: detailsOf(call, outcomes, verdict, details, commitment(context.commitmentKey, auditId, content)),
  }
}

/** Members in the order of their names, which makes their canonical text cheap. */
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
    commitment: committed,
    event: details.event,
    events: details.events,
    findings,
    flags: call.flags,
    judgements: details.judgements,
    not_done: notDone,
    path: details.path,
    reasons: 'reasons' in verdict ? verdict.reasons : [],
    redacted: verdict.action === 'redact' ? verdict.kinds : [],
    released: verdict.action === 'allow' || verdict.action === 'redact',
    released_bytes: details.released_bytes,
    released_commitment: details.released_commitment,
    segments: call.segments.length,
    stage: call.stage,
    status: details.status,
    steps,
    stream: call.isStream,
    upstream: details.upstream,
  }
}

/** An entry about a call that no judgement belongs to: its model server failed, its client went away, its stream ended. */
export function eventEntry(
  context: EntryContext,
  call: Call,
  eventType: string,
  severity: Entry['severity'],
  details: Entry['details'],
  outcome: Partial<Pick<Entry, 'decision' | 'classification'>> = {},
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
    details: { ...details, stage: call.stage, stream: call.isStream, agent_uuid: call.agent.uuid },
  }
}

/** An entry about the register of agents: who did what to which agent. */
export function adminEntry(
  { clock, random }: Pick<EntryContext, 'clock' | 'random'>,
  eventType: string,
  agent: Readonly<{ agent_id: string; agent_uuid: string; org_id: string }>,
  actor: string,
  requestId: string,
): Entry {
  return {
    auditId: `ae_${ulid(clock, random)}`,
    tsMs: clock.nowMs(),
    eventKind: 'admin',
    eventType,
    severity: 'info',
    decision: null,
    stepName: null,
    orgId: agent.org_id,
    agentId: agent.agent_id,
    sessionId: null,
    requestId,
    model: null,
    classification: null,
    policy: null,
    decisionId: null,
    details: { agent_uuid: agent.agent_uuid, by: actor },
  }
}

function callColumns(call: Call) {
  return {
    orgId: call.agent.org,
    agentId: call.agent.id,
    sessionId: call.session ?? null,
    requestId: call.id,
    model: modelName(call.model),
  }
}

/** A model's name comes from the client; what can't be one is not recorded, for it may be anything. */
export function modelName(model: string): string {
  return /^[\w./:@+-]{1,128}$/.test(model) ? model : '(not a model name)'
}

/**
 * SHA-256 over a salt and the content. The salt comes from a secret key and the entry's id, so whoever has the key can
 * prove what a content was, and nobody else can try out guesses.
 */
export function commitment(key: Uint8Array, auditId: string, content: string): string {
  return sha256(saltOf(key, auditId) + content)
}

/** The salt of a commitment, in hex: SHA-256 over the secret key and an id. */
export function saltOf(key: Uint8Array, id: string): string {
  return sha256(Buffer.concat([key, Buffer.from(id)]))
}

/** What steps did, by their names in order: how long each took in microseconds, what it found, why it did not look. */
function stepDetails(
  outcomes: readonly StepOutcome[],
): Readonly<Record<'findings' | 'notDone' | 'steps', object | undefined>> {
  const steps: Record<string, number> = {}
  let findings: Record<string, object> | undefined
  let notDone: Record<string, object> | undefined
  for (const outcome of outcomes.toSorted(byName)) {
    steps[outcome.step] = Math.round(outcome.ms * 1000)
    if (outcome.status !== 'done') {
      notDone ??= {}
      notDone[outcome.step] = { reason: outcome.reason, status: outcome.status }
    } else if (outcome.findings.length > 0) {
      findings ??= {}
      const listed = outcome.findings.slice(0, FINDINGS_LISTED_MAX).map(findingDetails)
      findings[outcome.step] = { count: outcome.findings.length, listed }
    }
  }
  return { findings, notDone, steps }
}

const byName = (one: StepOutcome, other: StepOutcome): number => (one.step < other.step ? -1 : 1)

function findingDetails({ kind, severity, confidence, pointer, span }: Finding): object {
  return { confidence, kind, pointer: safePointer(pointer), severity, span }
}

/** Given a pointer, returns it with `*` for every key that is not a name of the API: such keys are somebody's text. */
export function safePointer(pointer: string): string {
  const isKey = pointer.endsWith(KEY_SUFFIX)
  const path = isKey ? pointer.slice(0, -KEY_SUFFIX.length) : pointer
  const tokens = path
    .split('/')
    .map((token) => (token === '' || /^\d{1,6}$/.test(token) || API_NAMES.has(token) ? token : '*'))
  return tokens.join('/') + (isKey ? KEY_SUFFIX : '')
}
