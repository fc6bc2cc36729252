/**
 * A model server that speaks the OpenAI API, over a connection pool. Follows no redirects and decodes no content.
 * Uses undici's dispatcher, because its other methods wrap every response in a stream, which costs more than
 * everything else.
 */
import { type Dispatcher, Pool } from 'undici'
import type { Upstream, UpstreamResponse } from '../../core/ports.ts'
import { ResponseBody } from './response-body.ts'

/** Connections to one model server. */
const CONNECTIONS_MAX = 256

/** Until a connection is established. */
const CONNECT_TIMEOUT_MS = 10_000

/** Until the first byte of a response, and between two chunks: long reasoning takes minutes. */
const SILENCE_TIMEOUT_MS = 300_000

/** Headers of a response that the gateway itself uses. None is forwarded unchanged. */
const KEPT_HEADERS = ['content-type', 'retry-after'] as const

/**
 * Given the base URL (`https://host/v1`) and its key, creates the upstream. `forward` sends the key and the call's id
 * and none of the client's headers; it throws when no response begins.
 */
export function createOpenai(base: string, key: string | undefined): Upstream {
  const { origin, pathname } = new URL(base)
  const prefix = pathname.replace(/\/+$/, '')
  const pool = new Pool(origin, {
    connections: CONNECTIONS_MAX,
    pipelining: 1,
    connectTimeout: CONNECT_TIMEOUT_MS,
    headersTimeout: SILENCE_TIMEOUT_MS,
    bodyTimeout: SILENCE_TIMEOUT_MS,
  })
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  return {
    name: new URL(base).host,
    forward: (path, body, callId, signal) => {
      const headers = {
        ...authorization,
        'x-request-id': callId,
        'accept-encoding': 'identity',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }
      const method = body === undefined ? 'GET' : 'POST'
      return dispatchRequest(pool, { path: prefix + path, method, headers, body: body ?? null }, signal)
    },
    close: () => pool.close(),
  }
}

/**
 * Sends a request, and returns the response when its headers are here. When `signal` aborts, the exchange is aborted
 * in any state.
 */
function dispatchRequest(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  if (signal.aborted) return Promise.reject(new Error('the call was aborted before it was sent'))
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamResponse>()
  let control: Dispatcher.DispatchController | undefined
  let responseBody: ResponseBody | undefined
  const abort = (): void => {
    const reason = new Error('the call was aborted')
    control?.abort(reason)
    reject(reason)
  }
  const finish = (cause?: Error): void => {
    signal.removeEventListener('abort', abort)
    responseBody?.end(cause)
    if (cause) reject(cause)
  }
  signal.addEventListener('abort', abort, { once: true })
  pool.dispatch(options, {
    onRequestStart: (controller) => {
      control = controller
      if (signal.aborted) abort()
    },
    onResponseStart: (controller, status, headers) => {
      // Informational responses (1xx) precede the response.
      if (status < 200) return
      responseBody = new ResponseBody(controller)
      resolve({ status, headers: keptHeaders(headers), body: responseBody.chunks(), bytes: responseBody.bytes })
    },
    onResponseData: (_controller, part) => responseBody?.push(part),
    onResponseEnd: () => finish(),
    onResponseError: (_controller, cause) => finish(cause),
  })
  return promise
}

function keptHeaders(headers: Readonly<Record<string, unknown>>): UpstreamResponse['headers'] {
  const values: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') values[name] = value
  }
  return values
}
