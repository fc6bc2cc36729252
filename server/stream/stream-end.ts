/** How a stream ends: first in the ledger, then for the client. */

import type { Call } from '../core/call.ts'
import { type ErrorCode, errorBody, errorRow } from '../core/errors.ts'
import type { Verdict } from '../core/verdict.ts'
import { type AppendResult, appendEvent } from '../pipeline/append.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import { refusalBody } from '../pipeline/reply.ts'
import { formatEvent } from '../protocol/sse.ts'
import type { StreamProgress } from './stream-progress.ts'

/** Why the stream ends. A refusal is in the ledger already. */
export type StreamEnd =
  | Readonly<{ kind: 'done' }>
  | Readonly<{ kind: 'refused'; refusal: Refusal; verdict: Verdict }>
  | Readonly<{ kind: 'failed'; code: ErrorCode; cause: unknown }>
  | Readonly<{ kind: 'client_disconnected' }>

/** An end with an error. */
export function failedEnd(code: ErrorCode, cause?: unknown): StreamEnd {
  return { kind: 'failed', code, cause }
}

/** Records the end of a stream, and returns the event that tells the client; '' when it has disconnected. */
export async function endStream(
  gateway: Gateway,
  request: Call,
  progress: StreamProgress,
  end: StreamEnd,
): Promise<string> {
  const appended = await appendEnd(gateway, { ...request, stage: 'response' }, progress, end)
  if (appended.status === 'unrecorded') return errorEvent(request, 'ledger.unavailable')
  switch (end.kind) {
    case 'done':
      return formatEvent('[DONE]')
    case 'client_disconnected':
      return ''
    case 'failed':
      return errorEvent(request, end.code)
    case 'refused':
      return formatEvent(JSON.stringify(refusalBody(end.refusal, request, end.verdict)))
  }
}

async function appendEnd(
  gateway: Gateway,
  call: Call,
  progress: StreamProgress,
  end: StreamEnd,
): Promise<AppendResult> {
  const details = progress.summary()
  const outcome = progress.outcome()
  switch (end.kind) {
    case 'done':
      return appendEvent(gateway, call, 'stream_closed', 'info', details, outcome)
    case 'client_disconnected':
      return appendEvent(gateway, call, 'client_gone', 'warn', details, outcome)
    case 'failed':
      return appendEvent(gateway, call, 'stream_failed', 'error', { ...details, code: end.code }, outcome)
    case 'refused':
      return { status: 'recorded' }
  }
}

function errorEvent({ id }: Call, code: ErrorCode): string {
  return formatEvent(JSON.stringify(errorBody(errorRow(code), id)))
}
