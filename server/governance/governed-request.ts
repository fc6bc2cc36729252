/** A client's request, and the calls (request, response) that are evaluated for it. */
import type { Agent, Call, Segment } from '../core/call.ts'
import type { Upstream } from '../core/ports.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { judge, type RecordedDecision } from '../pipeline/judge.ts'
import { recordableModel } from '../pipeline/recordable-text.ts'
import { errorReply, type Reply, refusalReply } from '../pipeline/reply.ts'
import { isEmbedding } from '../protocol/embedding.ts'
import { ProjectionError, projectSource } from '../protocol/projection.ts'
import { upstreamOf } from './model-route.ts'

/** The OpenAI routes that are governed. */
export type GovernedPath = '/chat/completions' | '/completions' | '/embeddings'

/**
 * An authenticated request: who, for what. `text` is what `body` was parsed from; `clientId` a hash of the id that the
 * client gave the call, when it is not `id`; `signal` aborts when the client disconnects.
 */
export type GovernedRequest = Readonly<{
  id: string
  clientId?: string | undefined
  path: GovernedPath
  agent: Agent
  session: string
  flags: Readonly<Record<string, string>>
  body: unknown
  text: string
  bodyBytes: number
  signal: AbortSignal
}>

/** A call whose body came as text. */
export type TextCall = Call & Readonly<{ text: string }>

/** Returns the call of a request, or undefined when its body is deeper or larger than can be scanned. */
export function requestCall(request: GovernedRequest): TextCall | undefined {
  const body = request.body as { model?: unknown; stream?: unknown } | null
  const projected = projectedBody(request.body, request.text)
  return (
    projected && {
      ...commonFields(request),
      stage: 'request',
      model: typeof body?.model === 'string' ? body.model : '',
      isStream: body?.stream === true,
      body: request.body,
      bodyBytes: request.bodyBytes,
      ...projected,
    }
  )
}

/** The body of a response, and the text that it was parsed from. */
export type ResponseBody = Readonly<{ body: object; text: string; bodyBytes: number }>

/** Returns the call of a response to `request`, or undefined when it can't be scanned. */
export function responseCall(
  request: Call,
  path: GovernedPath,
  { body, text, bodyBytes }: ResponseBody,
): TextCall | undefined {
  const projected = projectedBody(body, text)
  if (!projected) return undefined
  const segments = path === '/embeddings' ? projected.segments.filter(isText) : projected.segments
  return { ...request, stage: 'response', body, text: projected.text, bodyBytes, segments }
}

function commonFields({ id, clientId, agent, session, flags }: GovernedRequest) {
  return { id, clientId, agent, session, flags }
}

function projectedBody(body: unknown, source: string): Pick<TextCall, 'segments' | 'text'> | undefined {
  try {
    const { segments, text } = projectSource(body, source)
    return { segments: segments.filter((segment) => !isProtocolWord(segment)), text }
  } catch (cause) {
    if (cause instanceof ProjectionError) return undefined
    throw cause
  }
}

function isText({ pointer, text }: Segment): boolean {
  return !/^\/data\/\d+\/embedding$/.test(pointer) || !isEmbedding(text)
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
  const decision = await judge(gateway, call, { path: request.path, upstream: upstream?.name ?? null })
  if (decision.status === 'unrecorded')
    return { status: 'refused', reply: errorReply('ledger.unavailable', call.id, decision.cause) }
  if (decision.enforcement.status === 'refused')
    return { status: 'refused', reply: refusalReply(decision.enforcement, call, decision) }
  if (!upstream) {
    const details = { param: 'model' }
    return { status: 'refused', reply: errorReply('model.unknown', call.id, undefined, { details }) }
  }
  const model = recordableModel(gateway, call, decision.outcomes)
  const { text = call.text } = decision.enforcement
  return { status: 'judged', call: { ...call, model, segments: [], text: undefined }, decision, upstream, text }
}
