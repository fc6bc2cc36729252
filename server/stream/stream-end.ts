/** What the ledger is told of a stream, and how one ends: first there, then for the client. */

import { type Call, NO_TOOLS } from '../core/call.ts'
import { type ErrorCode, errorBody, errorRow } from '../core/errors.ts'
import type { Verdict } from '../core/verdict.ts'
import { type AppendResult, appendDecision, appendEvent, type Decision } from '../pipeline/append.ts'
import { refusalBody } from '../pipeline/call-metadata.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge } from '../pipeline/judge.ts'
import type { Refusal } from '../pipeline/refusal.ts'
import { ProjectionError, project } from '../protocol/projection.ts'
import { formatEvent } from '../protocol/sse.ts'
import type { StreamProgress } from './stream-progress.ts'

/** Why the stream ends. A refusal is in the ledger already. `body`: the model server's own error, as it may leave. */
export type StreamEnd =
  | Readonly<{ kind: 'done' }>
  | Readonly<{ kind: 'refused'; refusal: Refusal; verdict: Verdict }>
  | Readonly<{ kind: 'failed'; code: ErrorCode; cause: unknown; body?: unknown }>
  | Readonly<{ kind: 'client_disconnected' }>

/** An end with an error. */
export function failedEnd(code: ErrorCode, cause?: unknown): StreamEnd {
  return { kind: 'failed', code, cause }
}

/** Appends the decision about a batch when it is the first, or refuses the stream. Its end records all others. */
export async function appendBatch(
  gateway: Gateway,
  call: Call,
  decision: Decision,
  progress: StreamProgress,
): Promise<AppendResult> {
  progress.decided(decision.verdict)
  const isRefused = decision.verdict.action === 'block' || decision.verdict.action === 'hold'
  if (progress.isOpen && !isRefused) return { status: 'recorded' }
  const details = isRefused ? progress.counts() : { event: 'opened' }
  const appended = await appendDecision(
    gateway,
    call,
    decision,
    JSON.stringify(call.segments),
    details,
    undefined,
    progress.salt,
  )
  if (appended.status === 'recorded') progress.isOpen = true
  return appended
}

/** Judges an error of the model server, as it stands in a stream, and returns the end that passes it on. */
export async function judgeError(gateway: Gateway, request: Call, body: object): Promise<StreamEnd> {
  const text = JSON.stringify(body)
  const segments = segmentsOf(body)
  if (segments === undefined) return failedEnd('upstream.malformed')
  const head = { ...request, stage: 'response', tools: NO_TOOLS } as const
  const call = { ...head, body, text, bodyBytes: text.length, segments }
  const decision = await judge(gateway, call, { event: 'error' })
  if (decision.status === 'unrecorded') return failedEnd('ledger.unavailable', decision.cause)
  if (decision.status === 'malformed') return failedEnd('upstream.malformed')
  const { enforcement, verdict } = decision
  if (enforcement.status === 'refused') return { kind: 'refused', refusal: enforcement, verdict }
  // The body of a large one is only in the thread that has read it.
  const enforced: unknown = JSON.parse(enforcement.text ?? text)
  return { kind: 'failed', code: 'upstream.failed', cause: undefined, body: enforced }
}

function segmentsOf(body: object): Call['segments'] | undefined {
  try {
    return project(body)
  } catch (cause) {
    if (cause instanceof ProjectionError) return undefined
    throw cause
  }
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
      return end.body === undefined ? errorEvent(request, end.code) : formatEvent(JSON.stringify(end.body))
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
