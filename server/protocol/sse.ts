/** Server-sent events, in and out (html.spec.whatwg.org, section 9.2). Knows framing, not what the data mean. */

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
  const decoder = new TextDecoder('utf-8')
  const state = { rest: '', data: [] as string[], chars: 0 }
  for await (const chunk of bytes) {
    const events = parseEvents(state, decoder.decode(chunk, { stream: true }), false)
    if (events.length > 0) yield events
  }
  const events = parseEvents(state, `${decoder.decode()}`, true)
  if (events.length > 0) yield events
}

function parseEvents(
  state: { rest: string; data: string[]; chars: number },
  text: string,
  isEnd: boolean,
): readonly string[] {
  const events: string[] = []
  const dispatch = (): void => {
    if (state.data.length > 0) events.push(state.data.join('\n'))
    state.data = []
    state.chars = 0
  }
  const buffered = state.rest + text
  // A CR at the very end may be the first half of CRLF: it waits for the next chunk.
  const complete = !isEnd && buffered.endsWith('\r') ? buffered.slice(0, -1) : buffered
  const lines = complete.split(/\r\n|\n|\r/)
  state.rest = (lines.pop() ?? '') + buffered.slice(complete.length)
  for (const line of lines) {
    if (line === '') dispatch()
    else readLine(state, line)
  }
  if (isEnd) {
    readLine(state, state.rest)
    dispatch()
  }
  if (state.chars + state.rest.length > EVENT_CHARS_MAX) throw new SseError(`an event exceeds ${EVENT_CHARS_MAX}`)
  return events
}

/** Fields other than `data` (event, id, retry) and comments carry nothing of a call, so they are dropped. */
function readLine(state: { data: string[]; chars: number }, line: string): void {
  if (!/^data(?::|$)/.test(line)) return
  const value = line.slice('data:'.length)
  const data = value.startsWith(' ') ? value.slice(1) : value
  state.data.push(data)
  state.chars += data.length
}

/** Given an event's data (JSON text, or `[DONE]`; no line breaks), returns the framed event. */
export function formatEvent(data: string): string {
  return `data: ${data}\n\n`
}
