/**
 * A model server outside the machine: a process of its own that speaks OpenAI's API, streams included, and writes down
 * what reached it. Run by itself: `node test/lab/upstream.ts --host ADDRESS --port N --record FILE --pause-ms N`.
 * Its answer repeats the last message of the caller, so a test sees what came through.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

/** A line of the record: a call that reached the server, or that its client went away before the answer was whole. */
export type Received =
  | Readonly<{
      event: 'call'
      number: number
      method: string
      path: string
      headers: Readonly<Record<string, unknown>>
      body: string
    }>
  | Readonly<{ event: 'abandoned'; number: number }>

type Settings = Readonly<{ pauseMs: number; write: (line: Received) => void }>
type Reply = Readonly<{ response: ServerResponse; pauseMs: number }>
type Ask = Readonly<{
  model?: string
  stream?: boolean
  stream_options?: Readonly<{ include_usage?: boolean }>
  messages?: readonly Readonly<{ content?: unknown }>[]
  input?: unknown
}>

function sendJson({ response }: Reply, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** The last message's text; content in parts is joined. */
function lastText(messages: Ask['messages']): string {
  const content = messages?.at(-1)?.content
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: string }) => part.text ?? '').join('')
}

const usageOf = (answer: string) => ({
  prompt_tokens: 9,
  completion_tokens: answer.length,
  total_tokens: 9 + answer.length,
})

async function streamChat(
  { response, pauseMs }: Reply,
  head: object,
  answer: string,
  hasUsage: boolean,
): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
  const send = (rest: object): boolean =>
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...rest })}\n\n`)
  const choose = (delta: object, reason: string | null): boolean =>
    send({ choices: [{ index: 0, delta, finish_reason: reason }] })
  choose({ role: 'assistant', content: '' }, null)
  for (const piece of answer.split(/(?<= )/)) {
    if (pauseMs > 0) await pause(pauseMs)
    if (response.destroyed) return
    choose({ content: piece }, null)
  }
  choose({}, 'stop')
  if (hasUsage) send({ choices: [], usage: usageOf(answer) })
  response.end('data: [DONE]\n\n')
}

async function answerChat(reply: Reply, ask: Ask, number: number): Promise<void> {
  const answer = `You said: ${lastText(ask.messages)}`
  const head = { id: `chatcmpl-${number}`, created: 1_795_550_000, model: ask.model ?? 'lab' }
  if (ask.stream) return streamChat(reply, head, answer, ask.stream_options?.include_usage === true)
  if (reply.pauseMs > 0) await pause(reply.pauseMs)
  const message = { role: 'assistant', content: answer, refusal: null }
  const choices = [{ index: 0, message, logprobs: null, finish_reason: 'stop' }]
  sendJson(reply, 200, { ...head, object: 'chat.completion', choices, usage: usageOf(answer) })
}

function answerEmbeddings(reply: Reply, ask: Ask): void {
  const inputs = Array.isArray(ask.input) ? ask.input : [ask.input]
  const data = inputs.map((_, index) => ({ object: 'embedding', index, embedding: [0.25, -0.5, 1] }))
  sendJson(reply, 200, { object: 'list', data, model: ask.model, usage: { prompt_tokens: 9, total_tokens: 9 } })
}

async function answer(reply: Reply, path: string, body: string, number: number): Promise<void> {
  const ask = (body === '' ? {} : JSON.parse(body)) as Ask
  const models = { object: 'list', data: [{ id: 'lab', object: 'model', created: 1_795_550_000, owned_by: 'lab' }] }
  if (path === '/v1/chat/completions') await answerChat(reply, ask, number)
  else if (path === '/v1/embeddings') answerEmbeddings(reply, ask)
  else if (path === '/v1/models') sendJson(reply, 200, models)
  else
    sendJson(reply, 404, {
      error: { message: `no ${path} here`, type: 'invalid_request_error', param: null, code: null },
    })
}

function serve({ pauseMs, write }: Settings) {
  let calls = 0
  return createServer(async (request: IncomingMessage, response: ServerResponse) => {
    calls += 1
    const number = calls
    response.on('close', () => {
      if (!response.writableFinished) write({ event: 'abandoned', number })
    })
    let body = ''
    try {
      for await (const chunk of request.setEncoding('utf8')) body += chunk
    } catch {
      return // the client went away: written down by the listener above
    }
    const { method = '', url: path = '', headers } = request
    write({ event: 'call', number, method, path, headers, body })
    await answer({ response, pauseMs }, path, body, number).catch((error: Error) => response.destroy(error))
  })
}

/** A running server. `url` is what `--upstream` takes; `received` reads the record. */
export type Upstream = Readonly<{
  url: string
  received: () => Promise<readonly Received[]>
  stop: () => Promise<void>
}>

/** Where to listen (any free port unless given), the file to write to, and the time between two pieces of a stream. */
export type UpstreamOptions = Readonly<{ host: string; port?: number; record: string; pauseMs?: number }>

/** Starts the server as a process of its own, and gives it once it listens. */
export async function startUpstream({ host, port = 0, record, pauseMs = 0 }: UpstreamOptions): Promise<Upstream> {
  const options = ['--host', host, '--port', `${port}`, '--record', record, '--pause-ms', `${pauseMs}`]
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  const said = await Promise.race([once(child.stdout, 'data'), ended])
  if (!Buffer.isBuffer(said[0])) throw new Error(`the upstream on ${host}:${port} ended before it listened`)
  const { url } = JSON.parse(said[0].toString()) as { url: string }
  const received = async (): Promise<readonly Received[]> => {
    const text = await readFile(record, 'utf8').catch(() => '')
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Received)
  }
  const stop = async (): Promise<void> => {
    child.kill()
    await ended
  }
  return { url, received, stop }
}

if (import.meta.main) {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ options: { host: text, port: text, record: text, 'pause-ms': text } })
  const { host = '127.0.0.1', port = '0', record, 'pause-ms': pauseMs = '0' } = values
  // In step with the answer: whoever has been answered finds the call in the record.
  const write = (line: Received): void =>
    record === undefined ? undefined : appendFileSync(record, `${JSON.stringify(line)}\n`)
  const server = serve({ pauseMs: Number(pauseMs), write })
  server.listen(Number(port), host, () => {
    process.stdout.write(
      `${JSON.stringify({ url: `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}/v1` })}\n`,
    )
  })
}
