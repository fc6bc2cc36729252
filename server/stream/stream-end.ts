/** How a stream ends: first in the ledger, then for the client. */

import { type ErrorCode, errorBody, errorRow } from '../core/errors.ts'
import { appendDecision, appendEvent } from '../pipeline/judge.ts'
import { refusalOf } from '../pipeline/refusal.ts'
import { refusalBody } from '../pipeline/reply.ts'
import { formatEvent } from '../protocol/sse.ts'
import type { BatchEvaluation } from './chunk-batch.ts'
import type { StreamState } from './stream-state.ts'

/** Why the stream ends. */
export type StreamEnd =
  | Readonly<{ kind: 'done' }>
  | Readonly<{ kind: 'refused'; evaluation: BatchEvaluation }>
  | Readonly<{ kind: 'failed'; code: ErrorCode; cause: unknown }>
  | Readonly<{ kind: 'client_disconnected' }>

/** An end with an error. */
export function failedEnd(code: ErrorCode, cause?: unknown): StreamEnd {
  return { kind: 'failed', code, cause }
}

/** Records the end of a stream, and returns the event that tells the client; '' when it has disconnected. */
export async function endStream(state: StreamState, end: StreamEnd): Promise<string> {
  state.hasEnded = true
  try {
    await appendEnd(state, end)
  } catch {
    return errorEvent(state, 'ledger.unavailable')
  }
  switch (end.kind) {
    case 'done':
      return formatEvent('[DONE]')
    case 'client_disconnected':
      return ''
    case 'failed':
      return errorEvent(state, end.code)
    case 'refused':
      return refusalEvent(state, end.evaluation)
  }
}

async function appendEnd(state: StreamState, end: StreamEnd): Promise<void> {
  const { gateway, request, released } = state
  const call = { ...request, stage: 'response' as const }
  const progress = {
    events: released.events,
    released_bytes: released.bytes,
    judgements: state.judgements,
    // Salted with the request's id instead of an entry's: it is computed from the first event on.
    released_commitment: released.digest.digest('hex'),
  }
  if (end.kind === 'refused') {
    const content = JSON.stringify(end.evaluation.call.segments)
    const appended = await appendDecision(gateway, end.evaluation.call, end.evaluation, content, progress)
    if (appended.status === 'unrecorded') throw appended.cause
    return
  }
  const details = { ...progress, findings: Object.fromEntries(released.kinds), redacted: [...state.redacted] }
  const outcome = { decision: state.redacted.size > 0 ? 'redact' : 'allow', classification: state.classification }
  if (end.kind === 'done') await appendEvent(gateway, call, 'stream_closed', 'info', details, outcome)
  else if (end.kind === 'client_disconnected') await appendEvent(gateway, call, 'client_gone', 'warn', details, outcome)
  else await appendEvent(gateway, call, 'stream_failed', 'error', { ...details, code: end.code }, outcome)
}

function errorEvent(state: StreamState, code: ErrorCode): string {
  return formatEvent(JSON.stringify(errorBody(errorRow(code), state.request.id)))
}

function refusalEvent({ gateway, request }: StreamState, { verdict }: BatchEvaluation): string {
  const refusal = refusalOf(verdict, 'response', gateway.registry)
  return formatEvent(JSON.stringify(refusalBody(refusal, request, verdict)))
}
