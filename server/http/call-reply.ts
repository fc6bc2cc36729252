/** What came of a governed call, as a reply in HTTP: its status, its headers, its body. */
import type { FastifyReply } from 'fastify'
import { type ErrorDetails, errorBody, errorRow } from '../core/errors.ts'
import type { Allowance } from '../core/ports.ts'
import { refusalBody } from '../pipeline/call-metadata.ts'
import {
  type CallResult,
  type FailedResult,
  type GovernanceNote,
  type ModelResult,
  type RefusedResult,
  redactedKinds,
  type StreamTexts,
  type UpstreamHead,
} from '../pipeline/call-result.ts'
import { errorHeaders } from './error-header.ts'
import { sendTexts } from './event-stream.ts'
import { retryHeaders } from './retry-header.ts'

type Headers = Readonly<Record<string, string>>

/** The text of a JSON body, or a stream of texts. `cause` is for the log, never for the client. */
export type Reply = Readonly<{ status: number; headers: Headers; cause?: unknown }> &
  (Readonly<{ kind: 'json'; text: string }> | Readonly<{ kind: 'stream'; texts: StreamTexts }>)

/** The response headers of every stream. */
const STREAM_HEADERS: Headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
}

/** Returns the reply to a client. */
export function replyOf(result: CallResult): Reply {
  switch (result.status) {
    case 'failed':
      return failureReply(result)
    case 'refused':
      return refusalReply(result)
    case 'answered': {
      const { text, note, upstream } = result
      const headers = { ...noteHeaders(note), ...retryHeaders(upstream.headers) }
      return { kind: 'json', status: upstream.status, headers, text }
    }
    case 'streamed':
      return streamReply(result.texts, result.note, result.upstream)
  }
}

/** Sends what came of a call. A cause goes into the log, and nowhere else. */
export function sendResult(reply: FastifyReply, result: CallResult): FastifyReply {
  return send(reply, replyOf(result))
}

/** Sends what is known of models, or why it is not. */
export function sendModels(reply: FastifyReply, result: ModelResult): FastifyReply {
  if (result.status === 'failed') return send(reply, failureReply(result))
  const headers = allowanceHeaders(result.allowance, false)
  return send(reply, { kind: 'json', status: 200, headers, text: JSON.stringify(result.body) })
}

function send(reply: FastifyReply, answer: Reply): FastifyReply {
  if (answer.cause !== undefined) reply.log.warn({ err: answer.cause, status: answer.status }, 'call failed')
  reply.code(answer.status).headers(answer.headers)
  if (answer.kind === 'stream') return sendTexts(reply, answer.texts)
  return reply.type('application/json; charset=utf-8').send(answer.text)
}

function failureReply({ code, requestId, cause, param, allowance }: FailedResult): Reply {
  const row = errorRow(code)
  const isExceeded = code === 'rate.exceeded'
  const message = isExceeded && allowance ? exceededMessage(allowance) : row.message
  const details: ErrorDetails = param === undefined ? {} : { param }
  const headers = { ...allowanceHeaders(allowance, isExceeded), ...errorHeaders(row) }
  const text = JSON.stringify(errorBody(row, requestId, message, details))
  return { kind: 'json', status: row.status, headers, text, cause }
}

function refusalReply({ refusal, call, decision }: RefusedResult): Reply {
  const { verdict, outcomes, allowance } = decision
  const row = errorRow(refusal.code)
  const isExceeded = refusal.code === 'rate.exceeded'
  const { classification } = verdict
  const headers = {
    ...governanceHeaders({
      classification,
      taint: verdict.taint.all,
      redacted: redactedKinds(decision),
      steps: outcomes.length,
    }),
    ...allowanceHeaders(allowance, isExceeded),
    ...(refusal.code === 'gateway.busy' ? { 'retry-after': '1' } : {}),
    ...errorHeaders(row),
  }
  const withWait = isExceeded && allowance ? { ...refusal, message: exceededMessage(allowance, 'rate_limit') } : refusal
  return { kind: 'json', status: row.status, headers, text: JSON.stringify(refusalBody(withWait, call, verdict)) }
}

function streamReply(texts: StreamTexts, note: GovernanceNote, upstream: UpstreamHead | undefined): Reply {
  const headers = { ...noteHeaders(note), ...retryHeaders(upstream?.headers ?? {}), ...STREAM_HEADERS }
  return { kind: 'stream', status: upstream?.status ?? 200, headers, texts }
}

function noteHeaders(note: GovernanceNote): Headers {
  return { ...governanceHeaders(note), ...allowanceHeaders(note.allowance, false) }
}

/** Headers of a governed call: its classification, the number of steps, what taints its session, the kinds that were taken out. */
function governanceHeaders({ classification, taint, redacted, steps }: Omit<GovernanceNote, 'allowance'>): Headers {
  // Steps of others may name their kinds as they like.
  const names = redacted.filter((kind) => /^[\w.-]+$/.test(kind))
  return {
    'x-tappass-classification': classification,
    'x-tappass-pipeline-steps': String(steps),
    ...(taint.length > 0 ? { 'x-tappass-taint': taint.join(', ') } : {}),
    ...(names.length > 0 ? { 'x-tappass-redacted': names.join(', ') } : {}),
  }
}

/**
 * The agent's remaining allowance, under our names and OpenAI's; with `isExceeded` also how long to wait, in whole
 * seconds.
 */
function allowanceHeaders(allowance: Allowance | undefined, isExceeded: boolean): Headers {
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

function exceededMessage(allowance: Allowance, step?: string): string {
  const { callsMax } = allowance
  const limit = callsMax === undefined ? '' : ` (limit ${callsMax})`
  return `Too many calls${limit}: try again in ${secondsOf(allowance)} s${step === undefined ? '' : ` (${step})`}`
}

function secondsOf({ resetMs }: Allowance): string {
  return String(Math.max(1, Math.ceil(resetMs / 1000)))
}

/** As OpenAI writes it: `1h2m3s`, `6m0s`, `1s`. */
function durationOf(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}s`
}
