/** Forwards a judged request, and reads the response up to where its evaluation begins. */
import { type Call, LARGE_CHARS } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { UpstreamResponse } from '../core/ports.ts'
import { appendEvent } from '../pipeline/append.ts'
import { type FailedResult, failed } from '../pipeline/call-result.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { type ResponseContent, readResponse } from '../protocol/upstream-response.ts'
import { brokenCode } from './broken-exchange.ts'
import type { GovernedRequest, JudgedRequest } from './governed-request.ts'
import { answeredAs, beginSpan } from './upstream-span.ts'

type JudgedContent = Exclude<ResponseContent, { kind: 'rejected' | 'malformed' }>

/** What came of it. */
export type ForwardResult =
  | Readonly<{ status: 'answered'; response: UpstreamResponse; content: JudgedContent }>
  | Readonly<{ status: 'failed'; code: ErrorCode; cause: unknown }>

/** Forwards the enforced request, and reads the response up to where its evaluation begins. */
export async function forward(
  { inspector, ports: { clock, meter } }: Gateway,
  { upstream, text, call }: JudgedRequest,
  { path, id, signal }: GovernedRequest,
): Promise<ForwardResult> {
  const startMs = clock.elapsedMs()
  const span = beginSpan(call, path, upstream.name)
  let response: UpstreamResponse | undefined
  try {
    response = await upstream.forward(path, text, id, signal, span?.traceparent)
    meter.observe('upstream_seconds', (clock.elapsedMs() - startMs) / 1000, upstream.name)
    meter.count('upstream_requests', upstream.name, `${Math.trunc(response.status / 100)}xx`)
    const content = await readResponse(response, call.isStream, inspector && LARGE_CHARS)
    span?.end(answeredAs(response.status, content))
    const cause = `status ${response.status}`
    if (content.kind === 'rejected') return { status: 'failed', code: 'upstream.refused', cause }
    if (content.kind === 'malformed')
      return { status: 'failed', code: 'upstream.malformed', cause: `${cause}, ${content.reason}` }
    return { status: 'answered', response, content }
  } catch (cause) {
    if (response === undefined && !signal.aborted) meter.count('upstream_requests', upstream.name, 'failed')
    const code = brokenCode(cause, response !== undefined)
    span?.end({ 'error.type': code })
    return { status: 'failed', code, cause }
  }
}

/** Records that there is no response, and returns the error. */
export async function forwardFailed(
  gateway: Gateway,
  call: Call,
  event: 'client_gone' | 'upstream_failed',
  { code, cause }: Pick<Extract<ForwardResult, { status: 'failed' }>, 'code' | 'cause'>,
): Promise<FailedResult> {
  const appended = await appendEvent(gateway, call, event, 'error', { code })
  return appended.status === 'recorded'
    ? failed(code, call.id, { cause })
    : failed('ledger.unavailable', call.id, { cause: appended.cause })
}
