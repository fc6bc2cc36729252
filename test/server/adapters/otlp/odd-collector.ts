/** A collector that keeps what reached it as bytes, and does what the real one does not: refuse, hang, answer late. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

/** How it answers: it takes spans, it refuses them for good, it says that it has no room now, or it says nothing. */
export type Manner = 'takes' | 'refuses' | 'full' | 'hangs'

/** `bytes` is all that came, unpacked; `headers` those of each request. `answers` says how it answers requests that begin from now on. */
export type OddCollector = Readonly<{
  url: string
  bytes: () => Buffer
  headers: readonly IncomingHttpHeaders[]
  answers: (manner: Manner) => void
  close: () => Promise<void>
}>

const HTTP_STATUS = { takes: 200, refuses: 400, full: 503 } as const
const GRPC_STATUS = { takes: 0, refuses: 3, full: 14 } as const

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts)
}

/** Starts one for a protocol. */
export async function startOddCollector(protocol: 'http/protobuf' | 'grpc'): Promise<OddCollector> {
  const received: Buffer[] = []
  const headers: IncomingHttpHeaders[] = []
  let manner: Manner = 'takes'
  const server =
    protocol === 'grpc'
      ? createHttp2Server().on('stream', async (stream: ServerHttp2Stream, given: IncomingHttpHeaders) => {
          stream.on('error', () => {})
          const asked = manner
          headers.push(given)
          received.push(gunzipSync((await readAll(stream)).subarray(5)))
          if (asked === 'hangs') return
          const status = String(GRPC_STATUS[asked])
          stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
          stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }))
          stream.end(asked === 'takes' ? Buffer.alloc(5) : undefined)
        })
      : createServer(async (request, response) => {
          const asked = manner
          headers.push(request.headers)
          received.push(gunzipSync(await readAll(request)))
          if (asked !== 'hangs') response.writeHead(HTTP_STATUS[asked]).end()
        })
  const sockets = new Set<{ destroy: () => void }>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: () => Buffer.concat(received),
    headers,
    answers: (next) => {
      manner = next
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
