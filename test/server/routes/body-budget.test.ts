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

/** Sends the head of a large call and nothing of its body; gives its connection when the head has been taken in. */
async function announce(): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${gateway.agent.key}\r\n` +
      `content-type: application/json\r\ncontent-length: ${BODY_BYTES}\r\nexpect: 100-continue\r\n\r\n`,
  )
  await once(socket, 'data')
  return socket
}

test('a large call beyond the room is told to wait; small ones that fit, and large ones after a client has left, get in', async () => {
  gateway.models.answer(json({ choices: [] }))
  const held = await Promise.all(Array.from({ length: Math.floor(IN_FLIGHT_BYTES_MAX / BODY_BYTES) }, announce))
  const call = (content: string) => gateway.post('/v1/chat/completions', chat(content))
  const large = 'word '.repeat(200_000)
  try {
    const refused = await call(large)
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1'])
    assert.equal(((await refused.json()) as { error: { code: string } }).error.code, 'gateway.busy')
    assert.equal((await call('hello')).status, 200)
    const [left] = held
    left?.destroy()
    let status = 503
    while (status === 503) status = (await call(large)).status
    assert.equal(status, 200)
  } finally {
    for (const socket of held) socket.destroy()
  }
})

test('a body that is too large for any room is still called too large', async () => {
  const response = await gateway.post('/v1/chat/completions', chat('x'.repeat(6_000_000)))
  assert.equal(response.status, 413)
})
