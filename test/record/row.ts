/** A request as a row of data, what the model server answers to it, and the small makers that rows are written with. */

/** A part of an answer: bytes; `until`, a wait until the client has read this text; or `cut`, the end of the connection. */
export type Piece = string | Uint8Array | Readonly<{ until: string }> | Readonly<{ cut: true }>

/** What the model server does. `pieces` that stand side by side leave in one write, each as a chunk of its own. */
export type Answer = Readonly<{
  status?: number
  headers?: Readonly<Record<string, string>>
  pieces: readonly Piece[]
}>

/**
 * A request. `key` names who asks (null: nobody), `keep` takes members of the answer over under a name, `{{name}}` in path,
 * headers and body stands for what was kept. `raw` are the bytes in place of everything else; `goneAfter`: the client goes away
 * once the model server has got the request and the client has read this text.
 */
export type Row = Readonly<{
  what: string
  method?: string
  path?: string
  key?: string | null
  headers?: Readonly<Record<string, string>>
  body?: unknown
  answer?: Answer
  keep?: Readonly<Record<string, string>>
  raw?: string
  goneAfter?: string
}>

/** A gateway's settings and what it is asked. Between two phases it is stopped, and `people` are given their keys. */
export type Group = Readonly<{
  name: string
  hasModelServer: boolean
  isKept: boolean
  environment: Readonly<Record<string, string>>
  phases: readonly (readonly Row[])[]
}>

/** A chat body that asks `content`. */
export function chat(content: unknown, more: object = {}): object {
  return { model: 'gpt-test', messages: [{ role: 'user', content }], ...more }
}

/** A chat body that streams. */
export function streamed(more: object = {}): object {
  return chat('Tell me more.', { stream: true, ...more })
}

/** A chat body in which a tool has answered `content`. */
export function toolSays(content: unknown): object {
  const call = { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{"path":"notes"}' } }
  return {
    model: 'gpt-test',
    messages: [
      { role: 'user', content: 'What is in the file?' },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'call_1', content },
    ],
  }
}

/** A chat completion that says `content`. */
export function completion(content: string | null, more: object = {}): object {
  const message = { role: 'assistant', content, refusal: null }
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_600_000_000,
    model: 'stand-in',
    choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    ...more,
  }
}

/** A completion whose message has other members. */
export function says(message: object, reason = 'stop'): object {
  return completion('', { choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: reason }] })
}

/** Answers with a JSON body. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, pieces: [JSON.stringify(body)] }
}

/** A chunk of a streamed chat completion. */
export function chunk(delta: object, reason: string | null = null, index = 0): object {
  const choices = [{ index, delta, finish_reason: reason }]
  return { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_600_000_000, model: 'stand-in', choices }
}

/** The chunks of an answer that says `texts` one after the other. */
export function chunksOf(...texts: readonly string[]): readonly object[] {
  return [chunk({ role: 'assistant', content: '' }), ...texts.map((content) => chunk({ content })), chunk({}, 'stop')]
}

/** The text of events. */
export function eventsOf(chunks: readonly object[], end = 'data: [DONE]\n\n'): string {
  return chunks.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('') + end
}

/** Streams pieces of events. */
export function stream(...pieces: readonly Piece[]): Answer {
  return { headers: { 'content-type': 'text/event-stream' }, pieces }
}

/** Streams chunks in one piece, with `[DONE]` behind them. */
export function streamOf(...chunks: readonly object[]): Answer {
  return stream(eventsOf(chunks))
}

/** A text's bytes in pieces of a size: cuts fall inside characters too. */
export function cut(text: string, bytesMax: number): readonly Uint8Array[] {
  const bytes = Buffer.from(text)
  const count = Math.ceil(bytes.length / bytesMax)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * bytesMax, (index + 1) * bytesMax))
}
