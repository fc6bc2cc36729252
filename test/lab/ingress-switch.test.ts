/** A changed Caddyfile or another Caddy loses no request, no connection and no open stream: real Caddys, on this machine. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { request } from 'node:https'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startClients } from './ingress-clients.ts'
import { startIngress } from './ingress-switch.ts'

const PIECES = 40
const PIECE_MS = 150

/** `/stream` is an answer in pieces that takes longer than a change; everything else is `ok`. */
const gateway: RequestListener = async (asked, response) => {
  if (asked.url !== '/stream') {
    response.end('ok')
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let index = 0; index < PIECES; index += 1) {
    response.write(`data: ${index}\n\n`)
    await pause(PIECE_MS)
  }
  response.end('data: [DONE]\n\n')
}

/** The pieces of a stream as they came, and when. */
const readStream = (port: number): Promise<readonly Readonly<{ text: string; at: number }>[]> =>
  new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/stream', servername: 'localhost', rejectUnauthorized: false }
    const asking = request({ ...options, agent: false }, (response) => {
      const pieces: { text: string; at: number }[] = []
      response.setEncoding('utf8').on('data', (text: string) => pieces.push({ text, at: performance.now() }))
      response.once('error', reject).once('end', () => resolve(pieces))
    })
    asking.once('error', reject).end()
  })

test('two changes under 32 clients: nothing is refused or left unanswered, open streams end whole, pieces come as they are sent', async () => {
  const ingress = await startIngress(gateway)
  try {
    const clients = startClients(ingress.https)
    const streams = [readStream(ingress.https)]
    const firstPid = ingress.main().pid
    for (const _ of [1, 2]) {
      await pause(300)
      streams.push(readStream(ingress.https))
      await pause(300)
      await ingress.change()
    }
    const { newConnections, keptRequests, failures } = await clients.stop()
    assert.deepEqual(failures, {})
    assert.ok(newConnections > 500 && keptRequests > 200, `${newConnections} ${keptRequests}`)
    assert.notEqual(ingress.main().pid, firstPid)
    const whole = `${Array.from({ length: PIECES }, (_, index) => `data: ${index}\n\n`).join('')}data: [DONE]\n\n`
    for (const pieces of await Promise.all(streams)) {
      assert.equal(pieces.map(({ text }) => text).join(''), whole)
      // The first piece was here before half of them were sent.
      assert.ok((pieces.at(-1)?.at ?? 0) - (pieces[0]?.at ?? 0) > (PIECES * PIECE_MS) / 2)
    }
  } finally {
    await ingress.close()
  }
})

test('a client that keeps its connection is told to come again while the process that has it stops', async () => {
  const ingress = await startIngress(gateway)
  try {
    const ask = (): Promise<string | undefined> =>
      new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: ingress.https, servername: 'localhost', rejectUnauthorized: false }
        const asking = request({ ...options, agent: false, headers: { connection: 'keep-alive' } }, (response) =>
          response.resume().once('end', () => resolve(response.headers.connection)),
        )
        asking.once('error', reject).end()
      })
    assert.equal(await ask(), undefined)
    const stopping = ingress.main().stop()
    await pause(300) // the signal is on its way; nothing else listens, so the stopping one still answers
    assert.equal(await ask(), 'close')
    await stopping
  } finally {
    await ingress.close()
  }
})
