/** Reads the body of a call from its text: all that detectors look at, and what else is known of it. */
import type { Call, Segment, ToolNames } from '../core/call.ts'
import { isEmbedding } from './embedding.ts'
import { exceededLimit } from './json-bound.ts'
import { PROJECTION_LIMITS, ProjectionError, projectSource } from './projection.ts'
import { toolNamesOf } from './tool-name.ts'

/** What the text of a body says. `text` is what may be sent: without members that a later one of the same name replaces. */
export type CallBody = Required<Pick<Call, 'body' | 'model' | 'isStream' | 'turns' | 'tools'>> &
  Readonly<{ text: string; segments: readonly Segment[] }>

/**
 * Parses a text; undefined when it is no JSON object. Throws ProjectionError when it holds more, or is deeper, than can be
 * looked through.
 */
export function parseBody(text: string): object | undefined {
  const limit = exceededLimit(text)
  if (limit !== undefined) throw new ProjectionError(limit)
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Reads a body that was parsed from a text. Throws ProjectionError. */
export function readCallBody(body: object, source: string, hasEmbeddings: boolean): CallBody {
  const { model, stream } = body as { model?: unknown; stream?: unknown }
  const { segments, text } = projectSource(body, source)
  return {
    body,
    text,
    model: typeof model === 'string' ? model : '',
    isStream: stream === true,
    turns: turnsOf(body),
    tools: toolsOf(body),
    segments: segments.filter((segment) => !isProtocolWord(segment) && !(hasEmbeddings && isNumberList(segment))),
  }
}

/** The number of messages of users in a request. */
export function turnsOf(body: unknown): number {
  const messages = (body as { messages?: unknown } | null | undefined)?.messages
  return Array.isArray(messages) ? messages.filter((message) => message?.role === 'user').length : 1
}

function toolsOf(body: object): ToolNames {
  const tools = toolNamesOf(body)
  if (tools.offered.length + tools.called.length > PROJECTION_LIMITS.toolsMax) throw new ProjectionError('toolsMax')
  return tools
}

function isNumberList({ pointer, text }: Segment): boolean {
  return /^\/data\/\d+\/embedding$/.test(pointer) && isEmbedding(text)
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
