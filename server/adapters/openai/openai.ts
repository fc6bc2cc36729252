/**
 * A model server that speaks the OpenAI API, over a pool of connections. Follows no redirect, decodes nothing. Stands on
 * undici's dispatcher, for its other methods make a stream of every answer, which costs more than all the rest.
 */
import { type Dispatcher, Pool } from 'undici'
import type { Upstream, UpstreamResponse } from '../../core/ports.ts'
import { ResponseBody } from './response-body.ts'

/** Connections to one model server. */
const CONNECTIONS_MAX = 256

/** Until a connection stands. */
const CONNECT_TIMEOUT_MS = 10_000

/** Until the first byte of an answer, and between two of them: long thoughts take minutes. */
const SILENCE_TIMEOUT_MS = 300_000

/** Headers of an answer that the gateway itself acts on. None is passed on as it is. */
const KEPT_HEADERS = ['content-type', 'retry-after'] as const

/**
 * Takes the base address (`https://host/v1`) and the key for it. `forward` sends the key and the call's id and nothing of
 * the client's headers; it throws when no answer begins.
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

/** Sends a request, returns the answer when its head is here. When `signal` fires the exchange is ended, whatever its state. */
function dispatchRequest(
  pool: Pool,
  options: Dispatcher.DispatchOptions,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  if (signal.aborted) return Promise.reject(new Error('the call was given up before it was sent'))
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamResponse>()
  let control: Dispatcher.DispatchController | undefined
  let responseBody: ResponseBody | undefined
  const abort = (): void => {
    const reason = new Error('the call was given up')
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
      // Hints come before the answer.
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
