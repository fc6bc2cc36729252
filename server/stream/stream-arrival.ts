/** What the events of a stream mean: chunks, signs of life, the end, an error of the model server. */
import type { ErrorCode } from '../core/errors.ts'
import { MalformedResponseError } from '../core/malformed-response.ts'
import { parseQuickly } from '../protocol/quick-json.ts'
import { SseError, type StreamEvent } from '../protocol/sse.ts'
import { isForeign, isObject, type JsonObject } from '../protocol/stream-chunk.ts'
import { errorOf } from '../protocol/upstream-error.ts'
import type { StreamRead } from './stream-source.ts'
import type { StreamState } from './stream-state.ts'

/**
 * How the model server ended a stream: with `[DONE]`; without; with something that is not of the API; with its own error
 * (`body` in the OpenAI format); or the connection broke.
 */
export type StreamStop =
  | Readonly<{ kind: 'done' | 'end' }>
  | Readonly<{ kind: 'failed'; code: ErrorCode; cause?: unknown }>
  | Readonly<{ kind: 'error'; body: object }>

/** Hands the chunks of a read to the state. Returns how the stream has ended; undefined when it goes on. */
export function acceptRead(state: StreamState, { events, end }: StreamRead): StreamStop | undefined {
  for (const event of events) {
    const stop = acceptEvent(state, event)
    if (stop) return stop
  }
  if (end?.kind !== 'failed') return end
  return {
    kind: 'failed',
    code: isMalformed(end.cause) ? 'upstream.malformed' : 'upstream.failed',
    cause: end.cause,
  }
}

function isMalformed(cause: unknown): boolean {
  return cause instanceof SseError || cause instanceof MalformedResponseError
}

function acceptEvent(state: StreamState, { name, data }: StreamEvent): StreamStop | undefined {
  const text = data.trim()
  // Relays keep a connection alive with empty events.
  if (text === '') return undefined
  if (text.startsWith('[DONE]')) return { kind: 'done' }
  const value = parseObject(text)
  if (value === undefined) return { kind: 'failed', code: 'upstream.malformed' }
  const error = errorIn(value, name)
  if (error !== undefined) return { kind: 'error', body: error }
  if (isForeign(value)) {
    state.skip()
    return undefined
  }
  return state.accept(value, text.length) ? undefined : { kind: 'failed', code: 'upstream.malformed' }
}

/** The error that an event tells of: `{"error": …}`, an object that calls itself one, or an event of that name. */
function errorIn(value: JsonObject, name: string | undefined): object | undefined {
  if (value['error']) return errorOf(value)
  return name === 'error' || value['object'] === 'error' ? errorOf({ error: value }) : undefined
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = parseQuickly(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
