/** The reply to the client, as a value: the routes only send it. */
import type { Call } from '../core/call.ts'
import { type ErrorCode, type ErrorDetails, errorBody, errorHeaders, errorRow } from '../core/errors.ts'
import type { Allowance, UpstreamResponse } from '../core/ports.ts'
import type { Verdict } from '../core/verdict.ts'
import { withMember } from '../protocol/json-text.ts'
import type { Decision } from './append.ts'
import type { RecordedDecision } from './judge.ts'
import type { Refusal } from './refusal.ts'
import { retryHeaders } from './retry-header.ts'

/** Texts of a stream. It returns whether it is complete: otherwise its body has to be left unfinished. */
export type StreamTexts = AsyncGenerator<string, boolean>

/** The text of a JSON body, or a stream of texts. `cause` is for the log, never for the client. */
export type Reply = Readonly<{ status: number; headers: Readonly<Record<string, string>>; cause?: unknown }> &
  (Readonly<{ kind: 'json'; text: string }> | Readonly<{ kind: 'stream'; chunks: StreamTexts }>)

/** A reply with a JSON body. */
export function jsonReply(status: number, body: object, headers: Reply['headers'] = {}): Reply {
  return { kind: 'json', status, headers, text: JSON.stringify(body) }
}

/** A refusal by policy, in the shape of tappass.md §1.1. */
export function refusalReply(
  enforcement: Refusal,
  call: Call,
  { verdict, outcomes, allowance }: RecordedDecision,
): Reply {
  const row = errorRow(enforcement.code)
  const isExceeded = enforcement.code === 'rate.exceeded'
  const headers = {
    ...governanceHeaders(verdict, outcomes),
    ...allowanceHeaders(allowance, isExceeded),
    ...errorHeaders(row),
  }
  const refusal =
    isExceeded && allowance ? { ...enforcement, message: exceededMessage(allowance, 'rate_limit') } : enforcement
  return jsonReply(row.status, refusalBody(refusal, call, verdict), headers)
}

/** The reply to a call beyond the allowance that is no call of a model. */
export function exceededReply(allowance: Allowance, requestId: string): Reply {
  return errorReply('rate.exceeded', requestId, undefined, {
    message: exceededMessage(allowance),
    headers: allowanceHeaders(allowance, true),
  })
}

function exceededMessage(allowance: Allowance, step?: string): string {
  const { callsMax } = allowance
  const limit = callsMax === undefined ? '' : ` (limit ${callsMax})`
  return `Too many calls${limit}: try again in ${secondsOf(allowance)} s${step === undefined ? '' : ` (${step})`}`
}

/**
 * The body that tells a client which step refused its call and why. Holds nothing of the call's text. The members of a
 * refusal stand at the top as well, where TapPass's SDK reads them.
 */
export function refusalBody({ code, reasons, text, message, param }: Refusal, call: Call, verdict: Verdict): object {
  const row = errorRow(code)
  const refusal = {
    blocked_by: reasons[0]?.step ?? 'policy',
    reason: text,
    classification: verdict.classification,
  }
  const ids = correlation(call, verdict)
  const details = { param, ...refusal, step_details: reasons, ...ids }
  return {
    ...errorBody(row, call.id, message, details),
    decision: row.type,
    message,
    ...refusal,
    details: {},
    ...ids,
  }
}

/**
 * The reply with a response to `call` (the request): the text of its body, with our own object beside the model server's.
 * An error of the model server gets none.
 */
export function responseReply(
  upstreamResponse: Pick<UpstreamResponse, 'status' | 'headers'>,
  { body, text }: Readonly<{ body: object; text: string }>,
  call: Call,
  requestDecision: RecordedDecision,
  responseDecision: RecordedDecision,
): Reply {
  const note = redactionNote(redactedKinds(requestDecision), redactedKinds(responseDecision))
  const classification = moreSensitive(requestDecision.verdict.classification, responseDecision.verdict.classification)
  const headers = {
    ...governanceHeaders({ classification, kinds: note.redacted }, [
      ...requestDecision.outcomes,
      ...responseDecision.outcomes,
    ]),
    ...allowanceHeaders(requestDecision.allowance, false),
    ...retryHeaders(upstreamResponse.headers),
  }
  const { status } = upstreamResponse
  if (status >= 400) return { kind: 'json', status, headers, text }
  const metadata = {
    classification,
    blocked: false,
    turn_index: turnIndex(call),
    model: (body as { model?: unknown }).model ?? call.model,
    ...note,
    ...correlation(call, responseDecision.verdict),
  }
  return { kind: 'json', status, headers, text: withMember(text, 'tappass', metadata) }
}

function redactedKinds({ verdict }: Decision): readonly string[] {
  return verdict.action === 'redact' ? verdict.kinds : []
}

/** What a client is told of redactions: all kinds, and in which stages they were. */
export function redactionNote(request: readonly string[], response: readonly string[]) {
  const stages = { request, response }
  const redactedIn = (['request', 'response'] as const).filter((stage) => stages[stage].length > 0)
  return { redacted: [...new Set([...request, ...response])].sort(), redacted_in: redactedIn }
}

/** The number of user messages in a request. */
function turnIndex(call: Call): number {
  const messages = (call.body as { messages?: unknown } | null)?.messages
  return Array.isArray(messages) ? messages.filter((message) => message?.role === 'user').length : 1
}

/** An expected failure from the table of errors; `more` replaces its message, and adds headers and members. */
export function errorReply(
  code: ErrorCode,
  requestId: string,
  cause?: unknown,
  more: Readonly<{ message?: string; details?: ErrorDetails; headers?: Reply['headers'] }> = {},
): Reply {
  const row = errorRow(code)
  const body = errorBody(row, requestId, more.message, more.details)
  return { ...jsonReply(row.status, body, { ...more.headers, ...errorHeaders(row) }), cause }
}

/** The ids by which a client, its operator and the ledger refer to the same call. */
export function correlation(call: Call, verdict: Verdict): Readonly<Record<string, string>> {
  return {
    session_id: call.session ?? '',
    task_id: call.id,
    agent_uuid: call.agent.uuid,
    pipeline_uuid: verdict.policy.slice(0, 32),
    audit_url: `/audit?request_id=${encodeURIComponent(call.id)}`,
  }
}

const CLASSIFICATIONS = ['PUBLIC', 'INTERNAL', 'CONFIDENTIAL', 'RESTRICTED', 'TOP_SECRET']

/** The more sensitive of two classifications; an unknown one counts as the most sensitive. */
export function moreSensitive(one: string, other: string): string {
  const level = (name: string): number =>
    CLASSIFICATIONS.includes(name) ? CLASSIFICATIONS.indexOf(name) : CLASSIFICATIONS.length
  return level(one) >= level(other) ? one : other
}

/** Response headers of a governed call: its classification, the number of steps, the kinds that were taken out. */
export function governanceHeaders(
  { classification, kinds = [] }: Readonly<{ classification: string; kinds?: readonly string[] }>,
  outcomes: readonly unknown[],
): Readonly<Record<string, string>> {
  // Steps of others may name their kinds as they like.
  const redacted = kinds.filter((kind) => /^[\w.-]+$/.test(kind))
  return {
    'x-tappass-classification': classification,
    'x-tappass-pipeline-steps': String(outcomes.length),
    ...(redacted.length > 0 ? { 'x-tappass-redacted': redacted.join(', ') } : {}),
  }
}

/**
 * The agent's remaining allowance, under our names and OpenAI's; with `isExceeded` also how long to wait, in whole
 * seconds.
 */
export function allowanceHeaders(
  allowance: Allowance | undefined,
  isExceeded: boolean,
): Readonly<Record<string, string>> {
  if (!allowance) return {}
  const remaining = String(allowance.remaining)
  const seconds = secondsOf(allowance)
  return {
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': seconds,
    ...(allowance.callsMax === undefined ? {} : { 'x-ratelimit-limit-requests': String(allowance.callsMax) }),
    'x-ratelimit-remaining-requests': remaining,
    'x-ratelimit-reset-requests': durationOf(Number(seconds)),
    ...(isExceeded ? { 'retry-after': seconds } : {}),
  }
}

function secondsOf({ resetMs }: Allowance): string {
  return String(Math.max(1, Math.ceil(resetMs / 1000)))
}

/** As OpenAI writes it: `1h2m3s`, `6m0s`, `1s`. */
function durationOf(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}s`
}
