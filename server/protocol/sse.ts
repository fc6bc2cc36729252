/** Server-sent events, in and out (html.spec.whatwg.org, section 9.2). Knows framing, not what the data mean. */
import { createParser } from 'eventsource-parser'

/** Maximum length of one event. A model server that sends more is not speaking this protocol. */
export const EVENT_CHARS_MAX = 4 * 1024 * 1024

/** An event: its name (`event:`), undefined for an ordinary one, and its data (several lines joined by a line feed). */
export type StreamEvent = Readonly<{ name: string | undefined; data: string }>

/** What some bytes completed: events, and whether there was a comment, which is a sign of life. */
export type EventRead = Readonly<{ events: readonly StreamEvent[]; hasComment: boolean }>

/** The bytes are not a readable stream of events. */
export class SseError extends Error {
  override readonly name = 'SseError'
}

/** Reads bytes as they come. `read` takes what has come, `end` what is incomplete once nothing more does. */
export type EventReader = Readonly<{ read: (bytes: Uint8Array) => EventRead; end: () => EventRead }>

/**
 * Creates a reader. Bytes may be cut anywhere, inside a character or between CR and LF. An event that is incomplete at the
 * end of the bytes is an event too: it is evaluated like any other, and some servers omit the last empty line. `id` and
 * `retry` carry nothing of a call, so they are dropped, and so is what comments hold. Throws SseError.
 */
export function createEventReader(): EventReader {
  // The parser strips a byte order mark.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
  const pending: StreamEvent[] = []
  let hasComment = false
  const parser = createParser({
    maxBufferSize: EVENT_CHARS_MAX,
    onEvent: ({ event, data }) => {
      pending.push({ name: event, data })
    },
    onComment: () => {
      hasComment = true
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw new SseError(`an event exceeds ${EVENT_CHARS_MAX}`)
    },
  })
  const feed = (text: string): EventRead => {
    hasComment = false
    parser.feed(text)
    return { events: pending.splice(0), hasComment }
  }
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch (cause) {
      throw new SseError('the bytes are not UTF-8', { cause })
    }
  }
  return {
    read: (bytes) => feed(decode(bytes)),
    end: () => feed(`${decode()}\n\n`),
  }
}

/** A comment, which clients skip: the connection lives. */
export const KEEP_ALIVE = ': keep-alive\n\n'

/** Given an event's data (JSON text, or `[DONE]`; no line breaks), returns the framed event. */
export function formatEvent(data: string): string {
  return `data: ${data}\n\n`
}
