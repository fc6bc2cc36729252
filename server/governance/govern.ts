/**
 * A governed call, from the client's body to the reply: evaluate the request → refused? return; forward; evaluate the
 * response; return. A streamed response is evaluated in batches in stream/stream-reply.ts.
 */

import type { Call } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Upstream, UpstreamResponse } from '../core/ports.ts'
import { appendEvent } from '../pipeline/append.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge, type RecordedDecision } from '../pipeline/judge.ts'
import { errorReply, type Reply, refusalReply, responseReply } from '../pipeline/reply.ts'
import { type ResponseContent, readResponse } from '../protocol/upstream-response.ts'
import { streamReply } from '../stream/stream-reply.ts'
import { streamOfAnswer } from '../stream/whole-answer.ts'
import { type GovernedRequest, judgeRequest, responseCall, type TextCall } from './governed-request.ts'

/** Governs one call. Expected outcomes are replies; it throws only when the gateway itself is at fault. */
export async function govern(gateway: Gateway, request: GovernedRequest): Promise<Reply> {
  const judged = await judgeRequest(gateway, request)
  if (judged.status === 'refused') return judged.reply
  const { call, decision } = judged
  const sent = await forward(judged.upstream, request, judged.text, call.isStream)
  if (sent.status === 'failed')
    return forwardFailed(gateway, call, request.signal.aborted ? 'client_gone' : 'upstream_failed', sent)
  if (sent.content.kind === 'stream') return streamReply(gateway, call, decision, sent.response, request.signal)
  const answer = responseCall(call, request.path, sent.content)
  if (!answer) return errorReply('upstream.malformed', request.id)
  return judgeResponse(gateway, call, answer, decision, sent.response)
}

type JudgedContent = Exclude<ResponseContent, { kind: 'rejected' | 'malformed' }>

type ForwardResult =
  | Readonly<{ status: 'answered'; response: UpstreamResponse; content: JudgedContent }>
  | Readonly<{ status: 'failed'; code: ErrorCode; cause: unknown }>

/** Forwards the enforced request, and reads the response up to where its evaluation begins. */
async function forward(
  upstream: Upstream,
  { path, id, signal }: GovernedRequest,
  text: string,
  isStream: boolean,
): Promise<ForwardResult> {
  try {
    const response = await upstream.forward(path, text, id, signal)
    const content = await readResponse(response, isStream)
    const cause = `status ${response.status}`
    if (content.kind === 'rejected') return { status: 'failed', code: 'upstream.refused', cause }
    if (content.kind === 'malformed')
      return { status: 'failed', code: 'upstream.malformed', cause: `${cause}, ${content.reason}` }
    return { status: 'answered', response, content }
  } catch (cause) {
    return { status: 'failed', code: 'upstream.unreachable', cause }
  }
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
  if (decision.status === 'unrecorded') return errorReply('ledger.unavailable', call.id, decision.cause)
  if (decision.enforcement.status === 'refused') return refusalReply(decision.enforcement, call, decision)
  const { body, text = call.text } = decision.enforcement
  const answer = { body: body as object, text }
  const reply = responseReply(upstreamResponse, answer, request, requestDecision, decision)
  if (!request.isStream || upstreamResponse.status >= 400) return reply
  return streamOfAnswer(body, reply) ?? errorReply('upstream.malformed', request.id)
}

/** Records that there is no response, and returns the error. */
async function forwardFailed(
  gateway: Gateway,
  call: Call,
  event: 'client_gone' | 'upstream_failed',
  { code, cause }: Extract<ForwardResult, { status: 'failed' }>,
): Promise<Reply> {
  const appended = await appendEvent(gateway, call, event, 'error', { code })
  return appended.status === 'recorded'
    ? errorReply(code, call.id, cause)
    : errorReply('ledger.unavailable', call.id, appended.cause)
}
