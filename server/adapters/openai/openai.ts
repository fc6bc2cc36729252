/**
 * A model server that speaks the OpenAI API, over a connection pool. Follows no redirects; a request whose idle
 * connection turns out to be closed is sent once more, on a fresh one.
 * Uses undici's dispatcher, because its other methods wrap every response in a stream, which costs more than
 * everything else.
 */
import type { buildConnector, Dispatcher, Pool } from 'undici'
import { MalformedResponseError } from '../../core/malformed-response.ts'
import type { Upstream, UpstreamResponse } from '../../core/ports.ts'
import { type Connection, createConnectionPool, type PooledHandler } from './connection-pool.ts'
import { codingsOf, createDecoder, type Decoder } from './content-coding.ts'
import { connectThrough } from './proxy-tunnel.ts'
import { ResponseBody } from './response-body.ts'

/** Connections to one model server. */
const CONNECTIONS_MAX = 256

/** Until a connection is established. */
const CONNECT_TIMEOUT_MS = 10_000

/** Until the first byte of a response, and between two chunks: long reasoning takes minutes. */
const SILENCE_TIMEOUT_MS = 300_000

/** Headers of a response that the gateway itself uses. None is forwarded unchanged. */
const KEPT_HEADERS = ['content-type', 'retry-after', 'retry-after-ms', 'x-should-retry'] as const

/** How a connection ends that the other side has closed. */
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * Given the base URL (`https://host/v1`) and its key, creates the upstream; `proxy` is the HTTP proxy on the way there. `forward` sends the key and the call's id
 * and none of the client's headers; it throws when no response begins.
 */
export function createOpenai(base: string, key: string | undefined, proxy?: string): Upstream {
  const { origin, pathname } = new URL(base)
  const prefix = pathname.replace(/\/+$/, '')
  const options = {
    connections: CONNECTIONS_MAX,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  }
  const through =
    proxy === undefined
      ? undefined
      : (connect: buildConnector.connector) => connectThrough(proxy, CONNECT_TIMEOUT_MS, connect)
  const pool = createConnectionPool(origin, { ...options, pipelining: 1 }, through)
  // Without pipelining no connection is kept: each request has a fresh one.
  const freshPool = createConnectionPool(origin, { ...options, pipelining: 0 }, through)
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return {
    name: new URL(base).host,
    forward: (path, body, callId, signal, traceparent) => {
      const headers = {
        ...authorization,
        'x-request-id': callId,
        ...(traceparent === undefined ? {} : { traceparent }),
        'accept-encoding': 'identity',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const method = body === undefined ? 'GET' : 'POST'
      const request = { path: prefix + path, method, headers, body: body ?? null }
      return dispatchRequest(pool, request, signal, () => dispatchRequest(freshPool, request, signal))
    },
    close: async () => {
      await Promise.all([pool.close(), freshPool.close()])
    },
    use: () => {
      const { connected, free, queued } = pool.stats
      return { open: connected, idle: free, max: CONNECTIONS_MAX, waiting: queued }
    },
  }
}

/**
 * Sends a request, and returns the response when its headers are here. When `signal` aborts, the exchange is aborted
 * in any state. `again` is called instead of failing when the connection was closed before the request could arrive.
 */
function dispatchRequest(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
  again?: () => Promise<UpstreamResponse>,
): Promise<UpstreamResponse> {
  if (signal.aborted) return Promise.reject(new Error('the call was aborted before it was sent'))
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamResponse>()
  let control: Dispatcher.DispatchController | undefined
  let connection: Connection | undefined
  let decoder: Decoder | undefined
  const abort = (): void => {
    const reason = new Error('the call was aborted')
    control?.abort(reason)
    reject(reason)
  }
  const finish = (cause?: Error): void => {
    signal.removeEventListener('abort', abort)
    decoder?.end(cause)
    if (!cause) return
    const isClosed = CLOSED.has((cause as { code?: string }).code ?? '') && connection?.wasIdle() === true
    if (again && isClosed && !decoder && !signal.aborted) resolve(again())
    else reject(cause)
  }
  signal.addEventListener('abort', abort, { once: true })
  const handler: PooledHandler = {
    onConnection: (taken) => {
      connection = taken
    },
    onRequestStart: (controller) => {
      control = controller
      if (signal.aborted) abort()
    },
    onResponseStart: (controller, status, headers) => {
      // Informational responses (1xx) precede the response.
      if (status < 200) return
      const received = receive(controller, status, headers)
      decoder = received.decoder
      resolve(received.response)
    },
    onResponseData: (_controller, part) => decoder?.push(part),
    onResponseEnd: () => finish(),
    onResponseError: (_controller, cause) =>
      finish(!decoder && isNoHttp(cause) ? new MalformedResponseError(cause) : cause),
  }
  pool.dispatch(options, handler)
  return promise
}

/** True for an error of the parser of HTTP. It is one as well when a connection breaks within a chunked body. */
function isNoHttp(cause: Error): boolean {
  return cause.name === 'HTTPParserError' || cause.name === 'HeadersOverflowError'
}

type Received = Readonly<{ decoder: Decoder; response: UpstreamResponse }>

/** A response whose headers are here, and what its bytes go into. One with an unknown coding is passed on with its name. */
function receive(
  controller: Dispatcher.DispatchController,
  status: number,
  headers: Readonly<Record<string, unknown>>,
): Received {
  const encoding = headers['content-encoding']
  const named = encoding === undefined ? undefined : String(encoding)
  const codings = codingsOf(named)
  let body: ResponseBody | undefined
  const decoder = createDecoder(codings ?? [], controller, (bodyControl) => {
    body = new ResponseBody(bodyControl)
    return { push: (chunk) => body?.push(chunk), end: (cause) => body?.end(cause) }
  })
  if (!body) throw new Error('a decoder was created without a body')
  const kept = { ...keptHeaders(headers), ...(codings || !named ? {} : { 'content-encoding': named }) }
  return { decoder, response: { status, headers: kept, body: body.chunks(), bytes: body.bytes } }
}

function keptHeaders(headers: Readonly<Record<string, unknown>>): UpstreamResponse['headers'] {
  const values: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') values[name] = value
  }
  return values
}
