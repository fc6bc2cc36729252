/** A model server behind an HTTP proxy: TLS with the server itself over a tunnel, and a proxy that does not let through. Needs: openssl. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import tls from 'node:tls'
import { createOpenai } from '../../../../server/adapters/openai/openai.ts'
import type { Upstream } from '../../../../server/core/ports.ts'

const folder = mkdtempSync(join(tmpdir(), 'tappass-proxy-'))
const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
const defaults = tls.getCACertificates()
const closing: (() => void)[] = []
let model: Server
let received: string[]

const portOf = (server: Server): number => (server.address() as AddressInfo).port

before(async () => {
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=m',
      ],
      ...['-addext', 'subjectAltName=DNS:model.test', '-keyout', key, '-out', certificate],
    ],
    { stdio: 'ignore' },
  )
  tls.setDefaultCACertificates([...defaults, readFileSync(certificate, 'utf8')])
  model = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    received.push(`${request.method} ${request.url} ${request.headers['proxy-authorization'] ?? '-'}`)
    request.resume().on('end', () => response.setHeader('content-type', 'application/json').end('{"answer":1}'))
  }).listen(0, '127.0.0.1')
  await once(model, 'listening')
})
after(() => {
  tls.setDefaultCACertificates(defaults)
  model.close()
  model.closeAllConnections()
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A proxy that leads every name to the model server, or says `status`, or nothing at all. It notes what it is asked and what passes. */
const startProxy = async (behaviour: 'connects' | 'refuses' | 'answers nothing' = 'connects') => {
  const asked: string[] = []
  const ends: Promise<unknown>[] = []
  let passed = ''
  const proxy = createHttpServer((_, response) => response.writeHead(400).end())
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(`${request.url} ${request.headers.host}`)
    ends.push(once(socket, 'end'))
    if (behaviour === 'answers nothing') return
    if (behaviour === 'refuses') return socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n')
    const way = connect(portOf(model), '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    socket.on('data', (chunk: Buffer) => {
      passed += chunk.toString('latin1')
      way.write(chunk)
    })
    way.pipe(socket)
    socket.once('end', () => way.end())
    for (const end of [way, socket]) end.on('error', () => {})
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  closing.push(() => {
    proxy.close()
    proxy.closeAllConnections()
  })
  return { address: `http://127.0.0.1:${portOf(proxy)}`, asked, ends, passed: () => passed }
}

const ask = async (upstream: Upstream): Promise<string> => {
  const response = await upstream.forward(
    '/chat/completions',
    '{"text":"SECRET-WORDS"}',
    'c',
    new AbortController().signal,
  )
  let text = ''
  for await (const chunk of response.body) text += Buffer.from(chunk).toString()
  return text
}

const upstreamThrough = (proxy: string, base = `https://model.test:${portOf(model)}/v1`): Upstream => {
  const upstream = createOpenai(base, 'key', proxy)
  closing.push(() => upstream.close())
  received = []
  return upstream
}

test('proxy: calls go over a tunnel by the name of the server, and the proxy reads nothing', async () => {
  const proxy = await startProxy()
  const upstream = upstreamThrough(proxy.address)
  for (let call = 0; call < 3; call += 1) assert.equal(await ask(upstream), '{"answer":1}')
  const authority = `model.test:${portOf(model)}`
  assert.deepEqual([...new Set(proxy.asked)], [`${authority} ${authority}`])
  assert.deepEqual(
    received,
    Array.from({ length: 3 }, () => 'POST /v1/chat/completions -'),
  )
  assert.doesNotMatch(proxy.passed(), /SECRET-WORDS|Bearer/)
})

test('proxy: the certificate is that of the server by its name, also over a tunnel, which is closed', {
  timeout: 20_000,
}, async () => {
  const proxy = await startProxy()
  await assert.rejects(
    ask(upstreamThrough(proxy.address, `https://other.test:${portOf(model)}/v1`)),
    (error: Error) => {
      assert.match(`${error.message} ${(error as { code?: string }).code}`, /altnames|ERR_TLS_CERT_ALTNAME_INVALID/)
      return true
    },
  )
  assert.deepEqual(received, [])
  await Promise.all(proxy.ends)
})

test('proxy: one that refuses is named in the error, with what it said', async () => {
  const proxy = await startProxy('refuses')
  await assert.rejects(
    ask(upstreamThrough(proxy.address)),
    /no way to model\.test:\d+ through the proxy 127\.0\.0\.1:\d+: it answered 403/,
  )
})

test('proxy: one that is not there is named in the error', async () => {
  await assert.rejects(
    ask(upstreamThrough('http://127.0.0.1:1')),
    /through the proxy 127\.0\.0\.1:1: connect ECONNREFUSED/,
  )
})
