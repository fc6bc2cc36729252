/** Server-sent events, in and out (html.spec.whatwg.org, section 9.2). Knows framing, not what the data mean. */
import { createParser } from 'eventsource-parser'

/** Maximum length of one event. A model server that sends more is not speaking this protocol. */
export const EVENT_CHARS_MAX = 4 * 1024 * 1024

/** The bytes are not a readable stream of events. */
export class SseError extends Error {
  override readonly name = 'SseError'
}

/**
 * Given chunks of bytes, returns the data of the events that each chunk completed (several lines joined by a line
 * feed). Chunks may end anywhere, inside a character or between CR and LF. An event that is incomplete at the end of
 * the bytes is returned too: it is evaluated like any other, and some servers omit the last empty line.
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  // The parser strips a byte order mark.
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const read = createEventReader()
  for await (const chunk of bytes) {
    const events = read(decoder.decode(chunk, { stream: true }))
    if (events.length > 0) yield events
  }
  const events = read(`${decoder.decode()}\n\n`)
  if (events.length > 0) yield events
}

/**
 * Returns a function that is given text after text, and returns the data of the events that each completed. Fields
 * other than `data` (event, id, retry) and comments carry nothing of a call, so they are dropped.
 */
function createEventReader(): (text: string) => readonly string[] {
  const pending: string[] = []
  const parser = createParser({
    maxBufferSize: EVENT_CHARS_MAX,
    onEvent: ({ data }) => {
      pending.push(data)
    },
    onError: ({ type }) => {
      if (type === 'max-buffer-size-exceeded') throw new SseError(`an event exceeds ${EVENT_CHARS_MAX}`)
    },
  })
  return (text) => {
    parser.feed(text)
    return pending.splice(0)
  }
}

/** Given an event's data (JSON text, or `[DONE]`; no line breaks), returns the framed event. */
export function formatEvent(data: string): string {
  return `data: ${data}\n\n`
}
