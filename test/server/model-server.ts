/**
 * A model server for tests: real HTTP over loopback, answers as it is told, and remembers what reached it.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What reached it. `isAbandoned` turns true when the caller goes away before the answer is whole. */
export type Received = {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  isAbandoned: boolean
}

/** Writes an answer. */
export type Answer = (response: ServerResponse, received: Received) => void | Promise<void>

/** The server. `answer` says how it answers from now on. */
export type ModelServer = Readonly<{
  url: string
  received: Received[]
  answer: (answer: Answer) => void
  close: () => Promise<void>
}>

/** Answers with a JSON body. */
export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
  }
}

/** A chat completion that says `content`. */
export function completion(content: string, more: object = {}): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_732_500_000,
    model: 'stand-in',
    choices: [
      { index: 0, message: { role: 'assistant', content, refusal: null }, logprobs: null, finish_reason: 'stop' },
    ],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
    ...more,
  }
}

/** A chunk of a streamed chat completion. */
export function chunk(delta: object, finishReason: string | null = null, index = 0): object {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_732_500_000,
    model: 'stand-in',
    choices: [{ index, delta, finish_reason: finishReason }],
  }
}

/** The chunks of an answer that says `pieces` one after the other. */
export function chunksOf(...pieces: readonly string[]): readonly object[] {
  return [chunk({ role: 'assistant', content: '' }), ...pieces.map((content) => chunk({ content })), chunk({}, 'stop')]
}

/** Streams chunks as events and ends with `[DONE]`. */
export function events(...chunks: readonly object[]): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const one of chunks) response.write(`data: ${JSON.stringify(one)}\n\n`)
    response.end('data: [DONE]\n\n')
  }
}

/** Starts one on a free port. It answers `You said: …` until it is told otherwise. */
export async function startModelServer(): Promise<ModelServer> {
  const received: Received[] = []
  let current: Answer = (response, { body }) => {
    const last = (JSON.parse(body) as { messages?: { content?: string }[] }).messages?.at(-1)?.content
    return json(completion(`You said: ${last}`))(response, received.at(-1) as Received)
  }
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const { method = '', url: path = '', headers } = request
    const one: Received = { method, path, headers, body: Buffer.concat(parts).toString(), isAbandoned: false }
    received.push(one)
    response.once('close', () => {
      one.isAbandoned = !response.writableFinished
    })
    await current(response, one)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: (answer) => {
      current = answer
    },
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
