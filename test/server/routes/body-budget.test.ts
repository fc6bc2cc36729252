/** Large calls in hand: the one too many is told to wait, and a client that leaves makes room. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { IN_FLIGHT_BYTES_MAX } from '../../../server/governance/body-budget.ts'
import { json } from '../model-server.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())

const BODY_BYTES = 5_000_000

type Announced = Readonly<{ socket: Socket; status: number }>

/** Sends the head of a large call and nothing of its body; gives its connection and what it was told. */
async function announce(key: string, length = `content-length: ${BODY_BYTES}`): Promise<Announced> {
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
      `content-type: application/json\r\n${length}\r\nexpect: 100-continue\r\n\r\n`,
  )
  const [told] = (await once(socket, 'data')) as [Buffer]
  return { socket, status: Number(told.toString().split(' ')[1]) }
}

/** Registers another agent; gives its key. */
async function register(name: string): Promise<string> {
  const made = await gateway.admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: name }) })
  return ((await made.json()) as { api_key: string }).api_key
}

const SHARE = Math.floor(IN_FLIGHT_BYTES_MAX / 3 / BODY_BYTES)
const call = (content: string) => gateway.post('/v1/chat/completions', chat(content))
const large = 'word '.repeat(800_000)

for (const length of [`content-length: ${BODY_BYTES}`, 'transfer-encoding: chunked']) {
  test(`one agent can't take all the room: ${length}`, async () => {
    gateway.models.answer(json({ choices: [] }))
    const all = await Promise.all(Array.from({ length: SHARE + 2 }, () => announce(gateway.agent.key, length)))
    const held = all.filter(({ status }) => status === 100)
    try {
      assert.deepEqual([held.length, ...all.slice(SHARE).map(({ status }) => status)], [SHARE, 503, 503])
      const refused = await call(large)
      assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
      assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'gateway.busy')
      assert.equal((await call('hello')).status, 200)
      const other = await announce(await register(`other-${length.length}`))
      assert.equal(other.status, 100)
      other.socket.destroy()
      held[0]?.socket.destroy()
      let status = 503
      while (status === 503) status = (await call(large)).status
      assert.equal(status, 200)
    } finally {
      for (const { socket } of all) socket.destroy()
    }
  })
}

test('all agents together have the whole room and no more', async () => {
  const keys = [gateway.agent.key, ...(await Promise.all(['a', 'b', 'c'].map(register)))]
  const told = await Promise.all(keys.flatMap((key) => Array.from({ length: SHARE }, () => announce(key))))
  const held = told.filter(({ status }) => status === 100).length
  for (const { socket } of told) socket.destroy()
  assert.equal(held, Math.floor(IN_FLIGHT_BYTES_MAX / BODY_BYTES))
})

test('chunked bodies that were read hold room for what they are', async () => {
  gateway.models.answer(json({ choices: [] }))
  // Those who left before have to be noticed first.
  while ((await call(large)).status === 503);
  const answers: (() => void)[] = []
  gateway.models.answer((response) => {
    answers.push(() => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices":[]}'))
  })
  const body = JSON.stringify(chat('hello'))
  const chunked = (): Promise<Response> =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.agent.key}`, 'content-type': 'application/json' },
      body: new Blob([body]).stream(),
      duplex: 'half',
    } as RequestInit)
  const calls: Promise<Response>[] = []
  for (let count = 1; count <= 20; count++) {
    calls.push(chunked())
    while (answers.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const answer of answers) answer()
  assert.deepEqual(new Set((await Promise.all(calls)).map(({ status }) => status)), new Set([200]))
})

test('a body that is too large for any room is still called too large', async () => {
  const response = await gateway.post('/v1/chat/completions', chat('x'.repeat(6_000_000)))
  assert.equal(response.status, 413)
})
