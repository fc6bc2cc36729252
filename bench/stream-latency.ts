/**
 * Measures how much later a stream's characters arrive through the gateway than at the model server's own door: added time to
 * the first character and to each next one, at a speed at which people read.
 * `node bench/stream-latency.ts [--speed 60] [--piece 4] [--chars 1200] [--streams 1] [--gateway server/main.ts]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { ADMIN_KEY, createAgent, untilReady } from './rig.ts'

const { values } = parseArgs({
  options: {
    speed: { type: 'string', default: '60' },
    piece: { type: 'string', default: '4' },
    chars: { type: 'string', default: '1200' },
    streams: { type: 'string', default: '1' },
    gateway: { type: 'string', default: 'server/main.ts' },
  },
})
const [speed, pieceChars, chars, streams] = [values.speed, values.piece, values.chars, values.streams].map(Number) as [
  number,
  number,
  number,
  number,
]

const TEXT = `Plants turn light into chemical energy, and it happens in two stages. First the light reactions catch the light in the
leaves; then the Calvin cycle makes sugar of carbon dioxide. In 1961 Melvin Calvin received the Nobel Prize for it. About 70 % of
our oxygen comes from the sea, where algae do the same work. Code looks like this: \`const sum = first + second\`, and a list so:
- one item
- another item, with [a link](https://docs.example.org/guide/a.html)

Shall I go on, or is this enough for now? `

/** When each character was written, by the number of its stream. */
const written = new Map<string, number[]>()

async function speak(response: ServerResponse, stream: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const times: number[] = []
  written.set(stream, times)
  const text = TEXT.repeat(Math.ceil(chars / TEXT.length)).slice(0, chars)
  const startMs = performance.now()
  const write = (delta: object, reason: string | null): boolean =>
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`,
    )
  for (let at = 0; at < text.length; at += pieceChars) {
    await sleep(Math.max(0, startMs + (at / speed) * 1000 - performance.now()))
    const content = text.slice(at, at + pieceChars)
    for (let index = 0; index < content.length; index++) times.push(performance.now())
    write(at === 0 ? { role: 'assistant', content } : { content }, null)
  }
  write({}, 'stop')
  response.end('data: [DONE]\n\n')
}

/** Reads a stream and returns how much later than written each character came. */
async function listen(url: string, key: string, stream: string): Promise<readonly number[]> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'm',
      stream: true,
      messages: [{ role: 'user', content: `stream number ${stream}` }],
    }),
  })
  const late: number[] = []
  let rest = ''
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const nowMs = performance.now()
    const events = (rest + part).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (!event.startsWith('data: {')) continue
      const content: string = JSON.parse(event.slice('data: '.length)).choices?.[0]?.delta?.content ?? ''
      for (let index = 0; index < content.length; index++)
        late.push(nowMs - (written.get(stream)?.[late.length] ?? nowMs))
    }
  }
  if (late.length !== chars) throw new Error(`${late.length} of ${chars} characters came`)
  return late
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1)
}

async function report(name: string, url: string, key: string): Promise<void> {
  const all = await Promise.all(Array.from({ length: streams }, (_, index) => listen(url, key, `${name}${index}`)))
  const first = all.map((late) => late[0] ?? 0).toSorted((one, other) => one - other)
  const next = all.flatMap((late) => late.slice(1)).toSorted((one, other) => one - other)
  process.stdout.write(
    `${name}: first character ${at(first, 0.5)} ms after it was written; each next p50 ${at(next, 0.5)} ms, p90 ${at(next, 0.9)} ms, ` +
      `p99 ${at(next, 0.99)} ms, at most ${at(next, 1)} ms\n`,
  )
}

const server = createServer(async (request, response) => {
  let body = ''
  for await (const part of request) body += part
  const content: string = JSON.parse(body).messages.at(-1).content
  await speak(response, content.slice('stream number '.length))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const models = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
const port = 20_000 + (process.pid % 20_000)
const gateway = spawn(process.execPath, [resolve(values.gateway)], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    PATH: '/usr/bin:/bin',
    TAPPASS_PORT: String(port),
    TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
    TAPPASS_UPSTREAM_URL: `${models}/v1`,
    TAPPASS_LOG_LEVEL: 'silent',
  },
})
try {
  const url = `http://127.0.0.1:${port}`
  await untilReady(url)
  const key = await createAgent(url)
  await listen(url, key, 'warm').catch(() => {})
  await report('direct', models, 'none')
  await report('gateway', url, key)
} finally {
  gateway.kill('SIGTERM')
  server.closeAllConnections()
  server.close()
}
