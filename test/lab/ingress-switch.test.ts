/** A changed Caddyfile or another Caddy loses no request, no connection and no open stream: real Caddys, on this machine. */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { request } from 'node:https'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { demand } from './execution.ts'
import { startClients } from './ingress-clients.ts'
import { startIngress } from './ingress-switch.ts'
import { ensureHttp3Client } from './program.ts'

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

test('HTTP/3: answers say where it is, it answers there, and a change leaves nobody with half an answer', async () => {
  const client = await ensureHttp3Client()
  const ingress = await startIngress(gateway)
  try {
    const url = `https://127.0.0.1:${ingress.https}`
    const advertised = await new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: ingress.https, servername: 'localhost', rejectUnauthorized: false }
      const asking = request({ ...options, agent: false }, (response) => resolve(response.resume().headers['alt-svc']))
      asking.once('error', reject).end()
    })
    assert.equal(advertised, `h3=":${ingress.https}"; ma=2592000`)
    const whole = `${Array.from({ length: PIECES }, (_, index) => `data: ${index}\n\n`).join('')}data: [DONE]\n\n`
    const stream = demand([client, 'get', `${url}/stream`])
    await pause(300)
    await ingress.change()
    assert.deepEqual(JSON.parse(await stream), { protocol: 'HTTP/3.0', status: 200, body: whole })
    assert.deepEqual(JSON.parse(await demand([client, 'get', url])), { protocol: 'HTTP/3.0', status: 200, body: 'ok' })
  } finally {
    await ingress.close()
  }
})

test('a client that keeps its connection is told to come again while the process that has it stops', async () => {
  const ingress = await startIngress(gateway)
  const client = await ensureHttp3Client()
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
    const [told, overHttp3] = await Promise.all([ask(), demand([client, 'get', `https://127.0.0.1:${ingress.https}`])])
    assert.equal(told, 'close')
    // There it is no field of an answer.
    assert.equal(JSON.parse(overHttp3).status, 200)
    await stopping
  } finally {
    await ingress.close()
  }
})
