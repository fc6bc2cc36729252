/** What a client asked for, and the calls (asked, answered) that are judged for it. */
import type { Agent, Call, Segment } from '../core/call.ts'
import type { Upstream } from '../core/ports.ts'
import { type Gateway, type Judged, judge } from '../pipeline/judge.ts'
import { failed, type Reply, refused } from '../pipeline/reply.ts'
import { ProjectionError, project } from '../protocol/projection.ts'

/** The OpenAI routes that are governed. */
export type Path = '/chat/completions' | '/completions' | '/embeddings'

/** A request past the door: who asks, for what. `signal` fires when the client goes away. */
export type Asked = Readonly<{
  id: string
  path: Path
  agent: Agent
  session: string
  flags: Readonly<Record<string, string>>
  body: unknown
  bodyBytes: number
  signal: AbortSignal
}>

/** Gives the call of a request, or undefined when its body is deeper or larger than can be looked through. */
export function requestCall(asked: Asked): Call | undefined {
  const body = asked.body as { model?: unknown; stream?: unknown } | null
  const segments = segmentsOf(asked.body)
  return (
    segments && {
      ...identity(asked),
      stage: 'request',
      model: typeof body?.model === 'string' ? body.model : '',
      isStream: body?.stream === true,
      body: asked.body,
      bodyBytes: asked.bodyBytes,
      segments,
    }
  )
}

/** Gives the call of an answer to `request`, or undefined when the answer can't be looked through. */
export function responseCall(request: Call, body: unknown, bodyBytes: number): Call | undefined {
  const segments = segmentsOf(body)
  return segments && { ...request, stage: 'response', body, bodyBytes, segments: segments.filter(isText) }
}

function identity({ id, agent, session, flags }: Asked) {
  return { id, agent, session, flags }
}

function segmentsOf(body: unknown): readonly Segment[] | undefined {
  try {
    return project(body).filter((segment) => !isWordOfProtocol(segment))
  } catch (cause) {
    if (cause instanceof ProjectionError) return undefined
    throw cause
  }
}

/** An embedding in base64 is a list of numbers and no text; detectors would only see noise in it. */
function isText({ pointer, text }: Segment): boolean {
  return !/^\/data\/\d+\/embedding$/.test(pointer) || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)
}

/** Members whose value is one of a few words of the API, and those words. Nothing can be said with them. */
const PROTOCOL_MEMBERS = ['/role', '/type', '/object', '/finish_reason']
const PROTOCOL_WORDS = new Set(
  `assistant chat.completion content_filter developer embedding function length list model stop system text text_completion tool
  tool_calls user`.split(/\s+/),
)
const PROTOCOL_WORD_CHARS_MAX = 'chat.completion'.length

/** True for a word of the API in its place: every message has one, and no detector could find anything in it. */
function isWordOfProtocol({ pointer, text }: Segment): boolean {
  if (text.length > PROTOCOL_WORD_CHARS_MAX || !PROTOCOL_WORDS.has(text)) return false
  return PROTOCOL_MEMBERS.some((member) => pointer.endsWith(member))
}

/** A request that may leave: what is sent where, its judgement, and its call without the segments. */
export type Asking =
  | Readonly<{ status: 'judged'; call: Call; request: Judged; upstream: Upstream; text: string }>
  | Readonly<{ status: 'refused'; reply: Reply }>

/**
 * Judges a request. A function of its own, so that the segments, which take many times the room of the body, are gone while
 * the model server thinks.
 */
export async function judgeRequest(gateway: Gateway, asked: Asked): Promise<Asking> {
  const call = requestCall(asked)
  if (!call) return { status: 'refused', reply: failed('request.malformed', asked.id) }
  const upstream = gateway.ports.upstreamOf(call.model)
  const content = JSON.stringify(call.body)
  const request = await judge(gateway, call, content, { path: asked.path, upstream: upstream?.name ?? null })
  if (request.status === 'unrecorded')
    return { status: 'refused', reply: failed('ledger.unavailable', call.id, request.cause) }
  if (request.release.status === 'refused') return { status: 'refused', reply: refused(request.release, call, request) }
  if (!upstream) return { status: 'refused', reply: failed('model.unknown', call.id) }
  const text = request.release.body === call.body ? content : JSON.stringify(request.release.body)
  return { status: 'judged', call: { ...call, segments: [] }, request, upstream, text }
}
