/**
 * A governed call, from the client's body to the reply: evaluate the request → refused? return; forward; evaluate the
 * response; return. A streamed response is evaluated in batches in stream/stream-reply.ts.
 */

import type { Call } from '../core/call.ts'
import type { UpstreamResponse } from '../core/ports.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge, type RecordedDecision } from '../pipeline/judge.ts'
import { errorReply, type Reply, refusalReply, responseReply } from '../pipeline/reply.ts'
import { exceededLimit } from '../protocol/json-bound.ts'
import { streamReply } from '../stream/stream-reply.ts'
import { streamOfAnswer } from '../stream/whole-answer.ts'
import { forward, forwardFailed } from './forward.ts'
import { type GovernedRequest, judgeRequest, responseCall, type TextCall } from './governed-request.ts'

/** Governs one call. Expected outcomes are replies; it throws only when the gateway itself is at fault. */
export async function govern(gateway: Gateway, request: GovernedRequest): Promise<Reply> {
  const judged = await judgeRequest(gateway, request)
  if (judged.status === 'refused') return judged.reply
  const { call, decision } = judged
  const sent = await forward(gateway, judged, request)
  if (sent.status === 'failed')
    return forwardFailed(gateway, call, request.signal.aborted ? 'client_gone' : 'upstream_failed', sent)
  if (sent.content.kind === 'stream') return streamReply(gateway, call, decision, sent.response, request.signal)
  const answer = responseCall(call, request.path, sent.content)
  if (!answer) return errorReply('upstream.malformed', request.id)
  return judgeResponse(gateway, call, answer, decision, sent.response)
}

/** Evaluates a response that is complete, and returns the reply. */
async function judgeResponse(
  gateway: Gateway,
  request: Call,
  call: TextCall,
  requestDecision: RecordedDecision,
  upstreamResponse: UpstreamResponse,
): Promise<Reply> {
  const decision = await judge(gateway, call, { status: upstreamResponse.status })
  if (decision.status === 'malformed')
    return forwardFailed(gateway, request, 'upstream_failed', { code: 'upstream.malformed', cause: 'no JSON object' })
  if (decision.status === 'unrecorded') return errorReply('ledger.unavailable', call.id, decision.cause)
  if (decision.enforcement.status === 'refused') return refusalReply(decision.enforcement, call, decision)
  const { body, text = call.text } = decision.enforcement
  const answer = { body: body as object, text }
  const reply = responseReply(upstreamResponse, answer, request, requestDecision, decision)
  if (!request.isStream || upstreamResponse.status >= 400) return reply
  // The body of a large one is only in the thread that has read it.
  const whole = call.body === undefined ? parseSmall(text) : body
  return streamOfAnswer(whole, reply) ?? errorReply('upstream.malformed', request.id)
}

/** Parses an answer that is to be made a stream; undefined when that would hold up other calls. */
function parseSmall(text: string): unknown {
  return text.length > STREAMED_CHARS_MAX || exceededLimit(text) !== undefined ? undefined : JSON.parse(text)
}

/** No model writes a longer answer. */
const STREAMED_CHARS_MAX = 5_000_000
