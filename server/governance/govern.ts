/**
 * A governed call, from the client's body to what came of it: evaluate the request → refused? return; forward; evaluate the
 * response; return. A streamed response is evaluated in batches in stream/judged-stream.ts.
 */

import type { Call } from '../core/call.ts'
import type { UpstreamResponse } from '../core/ports.ts'
import { answerMetadata, moreSensitive, redactionNote } from '../pipeline/call-metadata.ts'
import { type AnsweredResult, type CallResult, failed, redactedKinds } from '../pipeline/call-result.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge, type RecordedDecision } from '../pipeline/judge.ts'
import { withMember } from '../protocol/json-text.ts'
import { parseQuickly } from '../protocol/quick-json.ts'
import { judgedStream } from '../stream/judged-stream.ts'
import { streamOfAnswer } from '../stream/whole-answer.ts'
import { forward, forwardFailed } from './forward.ts'
import { type GovernedRequest, judgeRequest, responseCall, type TextCall } from './governed-request.ts'

/** Governs one call. Expected outcomes are results; it throws only when the gateway itself is at fault. */
export async function govern(gateway: Gateway, request: GovernedRequest): Promise<CallResult> {
  const judged = await judgeRequest(gateway, request)
  if (judged.status === 'ended') return judged.result
  const { call, decision } = judged
  const sent = await forward(gateway, judged, request)
  if (sent.status === 'failed')
    return forwardFailed(gateway, call, request.signal.aborted ? 'client_gone' : 'upstream_failed', sent)
  if (sent.content.kind === 'stream') return judgedStream(gateway, call, decision, sent.response, request.signal)
  const answer = responseCall(call, request.path, sent.content)
  if (!answer)
    return forwardFailed(gateway, call, 'upstream_failed', { code: 'upstream.malformed', cause: 'too complex' })
  return judgeResponse(gateway, call, answer, decision, sent.response)
}

/** Evaluates a response that is complete, and returns what came of the call. */
async function judgeResponse(
  gateway: Gateway,
  request: Call,
  call: TextCall,
  requestDecision: RecordedDecision,
  upstreamResponse: UpstreamResponse,
): Promise<CallResult> {
  const decision = await judge(gateway, call, { status: upstreamResponse.status })
  if (decision.status === 'malformed')
    return forwardFailed(gateway, request, 'upstream_failed', { code: 'upstream.malformed', cause: 'no JSON object' })
  if (decision.status === 'unrecorded') return failed('ledger.unavailable', call.id, { cause: decision.cause })
  if (decision.enforcement.status === 'refused')
    return { status: 'refused', refusal: decision.enforcement, call, decision }
  const { body, text = call.text } = decision.enforcement
  const result = answerOf(upstreamResponse, { body, text }, request, requestDecision, decision)
  if (!request.isStream || upstreamResponse.status >= 400) return result
  // The body of a large one is only in the thread that has read it.
  const whole = call.body === undefined ? parseSmall(text) : body
  const failure = { code: 'upstream.malformed', cause: 'no answer that a stream can be made of' } as const
  return streamOfAnswer(whole, result) ?? forwardFailed(gateway, request, 'upstream_failed', failure)
}

/**
 * An answer to `call` (the request), with our own object beside the model server's members. An error of the model server
 * gets none.
 */
function answerOf(
  { status, headers }: UpstreamResponse,
  { body, text }: Readonly<{ body: unknown; text: string }>,
  call: Call,
  requestDecision: RecordedDecision,
  decision: RecordedDecision,
): AnsweredResult {
  const redaction = redactionNote(redactedKinds(requestDecision), redactedKinds(decision))
  const classification = moreSensitive(requestDecision.verdict.classification, decision.verdict.classification)
  const steps = requestDecision.outcomes.length + decision.outcomes.length
  const taint = decision.verdict.taint.all
  const note = { classification, taint, redacted: redaction.redacted, steps, allowance: requestDecision.allowance }
  const result = { status: 'answered', text, note, upstream: { status, headers } } as const
  if (status >= 400) return result
  const { model } = body as { model?: unknown }
  const metadata = answerMetadata(call, decision.verdict, { classification, model, note: redaction })
  return { ...result, text: withMember(text, 'tappass', metadata) }
}

/** Parses an answer that is to be made a stream; undefined when that would hold up other calls. */
function parseSmall(text: string): unknown {
  try {
    return text.length > STREAMED_CHARS_MAX ? undefined : parseQuickly(text)
  } catch {
    return undefined
  }
}

/** No model writes a longer answer. */
const STREAMED_CHARS_MAX = 5_000_000
