/** Server-sent events, in and out (html.spec.whatwg.org, section 9.2). Knows framing, not what the data mean. */

/** Characters of one event. A model server that sends more without an end is not speaking this protocol. */
export const EVENT_CHARS_MAX = 4 * 1024 * 1024

/** The bytes are not a stream of events that can be read. */
export class SseError extends Error {
  override readonly name = 'SseError'
}

/**
 * Takes bytes as they come, gives the data of the events that each arrival completed (several lines joined by a line feed).
 * Cuts may fall anywhere, inside a character or between CR and LF. An event that the end of the bytes leaves open is
 * given too: it is judged like any other, and some servers forget the last empty line.
 */
export async function* readEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder('utf-8')
  const reader = { rest: '', data: [] as string[], chars: 0 }
  for await (const part of bytes) {
    const events = take(reader, decoder.decode(part, { stream: true }), false)
    if (events.length > 0) yield events
  }
  const events = take(reader, `${decoder.decode()}`, true)
  if (events.length > 0) yield events
}

function take(
  reader: { rest: string; data: string[]; chars: number },
  text: string,
  isEnd: boolean,
): readonly string[] {
  const events: string[] = []
  const dispatch = (): void => {
    if (reader.data.length > 0) events.push(reader.data.join('\n'))
    reader.data = []
    reader.chars = 0
  }
  const all = reader.rest + text
  // A CR at the very end may be the first half of CRLF: it waits for what comes next.
  const usable = !isEnd && all.endsWith('\r') ? all.slice(0, -1) : all
  const lines = usable.split(/\r\n|\n|\r/)
  reader.rest = (lines.pop() ?? '') + all.slice(usable.length)
  for (const line of lines) {
    if (line === '') dispatch()
    else readLine(reader, line)
  }
  if (isEnd) {
    readLine(reader, reader.rest)
    dispatch()
  }
  if (reader.chars + reader.rest.length > EVENT_CHARS_MAX) throw new SseError(`an event exceeds ${EVENT_CHARS_MAX}`)
  return events
}

/** Fields other than `data` (event, id, retry) and comments carry nothing of a call, so they end here. */
function readLine(reader: { data: string[]; chars: number }, line: string): void {
  if (!/^data(?::|$)/.test(line)) return
  const value = line.slice('data:'.length)
  const data = value.startsWith(' ') ? value.slice(1) : value
  reader.data.push(data)
  reader.chars += data.length
}

/** Takes an event's data (JSON text, or `[DONE]`; no line breaks), gives it framed. */
export function sseEvent(data: string): string {
  return `data: ${data}\n\n`
}
