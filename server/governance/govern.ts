/**
 * A governed call, from the client's body to the answer: judge the request → refused? return; forward; judge the answer;
 * return. An answer that streams is judged piece by piece in stream.ts.
 */

import type { Call } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { Upstream, UpstreamAnswer } from '../core/ports.ts'
import { type Gateway, type Judged, judge, record } from '../pipeline/judge.ts'
import { answered, failed, type Reply, refused } from '../pipeline/reply.ts'
import { type Answer, readAnswer } from '../protocol/upstream-answer.ts'
import { streamAnswer } from '../stream/stream-reply.ts'
import { type Asked, judgeRequest, responseCall } from './governed-request.ts'

/** Governs one call. Expected outcomes are replies; it throws only when the gateway itself is at fault. */
export async function govern(gateway: Gateway, asked: Asked): Promise<Reply> {
  const asking = await judgeRequest(gateway, asked)
  if (asking.status === 'refused') return asking.reply
  const { call, request } = asking
  const sent = await forward(asking.upstream, asked, asking.text, call.isStream)
  if (sent.status === 'failed')
    return unanswered(gateway, call, asked.signal.aborted ? 'client_gone' : 'upstream_failed', sent)
  if (sent.answer.kind === 'stream') return streamAnswer(gateway, call, request, sent.from, asked.signal)
  return judgeAnswer(gateway, call, request, sent.from, sent.answer)
}

type Judgeable = Exclude<Answer, { kind: 'refused' | 'malformed' }>

type Sent =
  | Readonly<{ status: 'answered'; from: UpstreamAnswer; answer: Judgeable }>
  | Readonly<{ status: 'failed'; code: ErrorCode; cause: unknown }>

/** Sends what was released, and reads the answer up to where its judgement begins. */
async function forward(upstream: Upstream, asked: Asked, text: string, isStream: boolean): Promise<Sent> {
  try {
    const from = await upstream.forward(asked.path, text, asked.id, asked.signal)
    const answer = await readAnswer(from, isStream)
    if (answer.kind === 'refused') return { status: 'failed', code: 'upstream.refused', cause: `status ${from.status}` }
    if (answer.kind === 'malformed')
      return { status: 'failed', code: 'upstream.malformed', cause: `status ${from.status}` }
    return { status: 'answered', from, answer }
  } catch (cause) {
    return { status: 'failed', code: 'upstream.unreachable', cause }
  }
}

/** Judges an answer that is known as a whole, and gives what of it may leave. */
async function judgeAnswer(
  gateway: Gateway,
  request: Call,
  asking: Judged,
  from: UpstreamAnswer,
  answer: Exclude<Judgeable, { kind: 'stream' }>,
): Promise<Reply> {
  const call = responseCall(request, answer.body, answer.bytes)
  if (!call) return failed('upstream.malformed', request.id)
  const content = JSON.stringify(call.body)
  const response = await judge(gateway, call, content, { status: from.status })
  if (response.status === 'unrecorded') return failed('ledger.unavailable', call.id, response.cause)
  if (response.release.status === 'refused') return refused(response.release, call, response)
  const { body } = response.release
  return answered(from, body as object, request, asking, response, body === call.body ? content : undefined)
}

/** Records that no answer came, and says so. */
async function unanswered(
  gateway: Gateway,
  call: Call,
  event: 'client_gone' | 'upstream_failed',
  { code, cause }: Extract<Sent, { status: 'failed' }>,
): Promise<Reply> {
  try {
    await record(gateway, call, event, 'error', { code })
  } catch (unrecorded) {
    return failed('ledger.unavailable', call.id, unrecorded)
  }
  return failed(code, call.id, cause)
}
