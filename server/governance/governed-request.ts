/** A client's request, and the calls (request, response) that are evaluated for it. */
import type { Agent, Call, Segment } from '../core/call.ts'
import type { Upstream } from '../core/ports.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge, type RecordedDecision } from '../pipeline/judge.ts'
import { errorReply, type Reply, refusalReply } from '../pipeline/reply.ts'
import { ProjectionError, project } from '../protocol/projection.ts'
import { upstreamOf } from './model-route.ts'

/** The OpenAI routes that are governed. */
export type GovernedPath = '/chat/completions' | '/completions' | '/embeddings'

/** An authenticated request: who, for what. `signal` aborts when the client disconnects. */
export type GovernedRequest = Readonly<{
  id: string
  path: GovernedPath
  agent: Agent
  session: string
  flags: Readonly<Record<string, string>>
  body: unknown
  bodyBytes: number
  signal: AbortSignal
}>

/** Returns the call of a request, or undefined when its body is deeper or larger than can be scanned. */
export function requestCall(request: GovernedRequest): Call | undefined {
  const body = request.body as { model?: unknown; stream?: unknown } | null
  const segments = segmentsOf(request.body)
  return (
    segments && {
      ...commonFields(request),
      stage: 'request',
      model: typeof body?.model === 'string' ? body.model : '',
      isStream: body?.stream === true,
      body: request.body,
      bodyBytes: request.bodyBytes,
      segments,
    }
  )
}

/** Returns the call of a response to `request`, or undefined when it can't be scanned. */
export function responseCall(request: Call, body: unknown, bodyBytes: number): Call | undefined {
  const segments = segmentsOf(body)
  return segments && { ...request, stage: 'response', body, bodyBytes, segments: segments.filter(isText) }
}

function commonFields({ id, agent, session, flags }: GovernedRequest) {
  return { id, agent, session, flags }
}

function segmentsOf(body: unknown): readonly Segment[] | undefined {
  try {
    return project(body).filter((segment) => !isProtocolWord(segment))
  } catch (cause) {
    if (cause instanceof ProjectionError) return undefined
    throw cause
  }
}

/** An embedding in base64 is a list of numbers, not text; detectors would only see noise in it. */
function isText({ pointer, text }: Segment): boolean {
  return !/^\/data\/\d+\/embedding$/.test(pointer) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

/** Members whose value is one of a few words of the API, and those words. They can't carry a message. */
const PROTOCOL_MEMBERS = ['/role', '/type', '/object', '/finish_reason']
const PROTOCOL_WORDS = new Set(
  `assistant chat.completion content_filter developer embedding function length list model stop system text text_completion tool
  tool_calls user`.split(/\s+/),
)
const PROTOCOL_WORD_CHARS_MAX = 'chat.completion'.length

/** True for a word of the API in its place: every message has one, and no detector could find anything in it. */
function isProtocolWord({ pointer, text }: Segment): boolean {
  if (text.length > PROTOCOL_WORD_CHARS_MAX || !PROTOCOL_WORDS.has(text)) return false
  return PROTOCOL_MEMBERS.some((member) => pointer.endsWith(member))
}

/** A request that may be forwarded: its text and target, its decision, and its call without the segments. */
export type RequestDecision =
  | Readonly<{ status: 'judged'; call: Call; decision: RecordedDecision; upstream: Upstream; text: string }>
  | Readonly<{ status: 'refused'; reply: Reply }>

/**
 * Evaluates a request. A function of its own, so that the segments, which take many times the memory of the body, are
 * released while the model server works.
 */
export async function judgeRequest(gateway: Gateway, request: GovernedRequest): Promise<RequestDecision> {
  const call = requestCall(request)
  if (!call) return { status: 'refused', reply: errorReply('request.too_complex', request.id) }
  const upstream = upstreamOf(gateway.ports.routes, call.model)
  const content = JSON.stringify(call.body)
  const decision = await judge(gateway, call, content, { path: request.path, upstream: upstream?.name ?? null })
  if (decision.status === 'unrecorded')
    return { status: 'refused', reply: errorReply('ledger.unavailable', call.id, decision.cause) }
  if (decision.enforcement.status === 'refused')
    return { status: 'refused', reply: refusalReply(decision.enforcement, call, decision) }
  if (!upstream)
    return {
      status: 'refused',
      reply: errorReply('model.unknown', call.id, undefined, { details: { param: 'model' } }),
    }
  const text = decision.enforcement.body === call.body ? content : JSON.stringify(decision.enforcement.body)
  return { status: 'judged', call: { ...call, segments: [] }, decision, upstream, text }
}
