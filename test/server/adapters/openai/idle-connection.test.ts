/** A connection that the model server closed while it was idle is no error of the caller; nothing else is sent twice. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { createOpenai } from '../../../../server/adapters/openai/openai.ts'

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'

/** What the server does with the nth request, and with the nth of a connection. */
type Plan = (socket: Socket, request: number, ofConnection: number) => void

/** Asks a server of a plan `calls` times, one after the other. Gives how each went, and what reached the server. */
async function ask(plan: Plan, calls: number): Promise<Readonly<{ went: readonly string[]; requests: number }>> {
  let requests = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let ofConnection = 0
    socket.on('error', () => {})
    socket.on('data', () => plan(socket, ++requests, ++ofConnection))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const openai = createOpenai(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, undefined)
  const went: string[] = []
  for (let call = 0; call < calls; call++) {
    const forwarded = openai.forward('/chat/completions', '{}', `call-${call}`, new AbortController().signal)
    went.push(await forwarded.then(async ({ bytes }) => Buffer.from((await bytes(99)) ?? []).toString()).catch(() => 'failed')) // biome-ignore format: one chain
    await new Promise(setImmediate)
  }
  await openai.close()
  for (const socket of sockets) socket.destroy()
  server.close()
  return { went, requests }
}

const answer = (socket: Socket): void => void socket.write(ANSWER)
const ROWS: readonly (readonly [what: string, plan: Plan, went: readonly string[], requests: number])[] = [
  ['kept open', answer, ['{}', '{}', '{}'], 3],
  ['closed with each answer', (socket) => void socket.end(ANSWER), ['{}', '{}', '{}'], 3],
  [
    'cut when it is used again',
    (socket, _request, of) => (of === 1 ? answer(socket) : socket.resetAndDestroy()),
    ['{}', '{}', '{}'],
    4,
  ],
  [
    'ended when it is used again',
    (socket, _request, of) => (of === 1 ? answer(socket) : void socket.end()),
    ['{}', '{}', '{}'],
    4,
  ],
  [
    'cut when it is used again, and the fresh one too',
    (socket, request) => (request === 1 ? answer(socket) : socket.resetAndDestroy()),
    ['{}', 'failed'],
    3,
  ],
  ['cut at once', (socket) => socket.resetAndDestroy(), ['failed'], 1],
  [
    'cut after half of an answer',
    (socket, _request, of) => (of === 1 ? answer(socket) : void socket.end(ANSWER.slice(0, -1))),
    ['{}', 'failed'],
    2,
  ],
  [
    'cut after half of a status line',
    (socket, _request, of) => (of === 1 ? answer(socket) : void socket.end(ANSWER.slice(0, 8))),
    ['{}', 'failed'],
    2,
  ],
]
for (const [what, plan, went, requests] of ROWS) {
  test(what, async () => assert.deepEqual(await ask(plan, went.length), { went, requests }))
}
