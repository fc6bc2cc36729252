/** How a stream ends: in the ledger first, then for the client. */

import { type ErrorCode, errorBody, errorRow } from '../core/errors.ts'
import { refusalCode } from '../pipeline/enforce.ts'
import { inscribe, record } from '../pipeline/judge.ts'
import { refusalBody } from '../pipeline/reply.ts'
import { sseEvent } from '../protocol/sse.ts'
import type { BatchAssessment } from './chunk-batch.ts'
import type { Flow } from './stream-state.ts'

/** Why nothing more comes. */
export type Ending =
  | Readonly<{ kind: 'done' }>
  | Readonly<{ kind: 'refused'; assessment: BatchAssessment }>
  | Readonly<{ kind: 'failed'; code: ErrorCode; cause: unknown }>
  | Readonly<{ kind: 'gone' }>

/** An ending that is somebody's fault. */
export function failed(code: ErrorCode, cause?: unknown): Ending {
  return { kind: 'failed', code, cause }
}

/** Records the end of a stream, and gives the event that tells the client; '' when nobody listens any more. */
export async function conclude(flow: Flow, ending: Ending): Promise<string> {
  flow.isOver = true
  try {
    await inscribeEnding(flow, ending)
  } catch {
    return errorEvent(flow, 'ledger.unavailable')
  }
  switch (ending.kind) {
    case 'done':
      return sseEvent('[DONE]')
    case 'gone':
      return ''
    case 'failed':
      return errorEvent(flow, ending.code)
    case 'refused':
      return refusalEvent(flow, ending.assessment)
  }
}

async function inscribeEnding(flow: Flow, ending: Ending): Promise<void> {
  const { gateway, request, released } = flow
  const call = { ...request, stage: 'response' as const }
  const facts = {
    events: released.events,
    released_bytes: released.bytes,
    judgements: flow.judgements,
    // Salted with the request's id instead of an entry's: it grows from the first piece on.
    released_commitment: released.digest.digest('hex'),
  }
  if (ending.kind === 'refused') {
    const content = JSON.stringify(ending.assessment.call.segments)
    const told = await inscribe(gateway, ending.assessment.call, ending.assessment, content, facts)
    if (told.status === 'unrecorded') throw told.cause
    return
  }
  const details = { ...facts, findings: Object.fromEntries(released.kinds), redacted: [...flow.redacted] }
  const outcome = { decision: flow.redacted.size > 0 ? 'redact' : 'allow', classification: flow.classification }
  if (ending.kind === 'done') await record(gateway, call, 'stream_closed', 'info', details, outcome)
  else if (ending.kind === 'gone') await record(gateway, call, 'client_gone', 'warn', details, outcome)
  else await record(gateway, call, 'stream_failed', 'error', { ...details, code: ending.code }, outcome)
}

function errorEvent(flow: Flow, code: ErrorCode): string {
  return sseEvent(JSON.stringify(errorBody(errorRow(code), flow.request.id)))
}

function refusalEvent({ request }: Flow, { verdict }: BatchAssessment): string {
  const reasons = 'reasons' in verdict ? verdict.reasons : []
  const code = verdict.action === 'hold' ? 'approval.required' : refusalCode(reasons, 'response')
  return sseEvent(JSON.stringify(refusalBody({ status: 'refused', code, reasons }, request, verdict)))
}
