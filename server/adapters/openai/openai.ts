/**
 * A model server that speaks the OpenAI API, over a pool of connections. Follows no redirect, decodes nothing. Stands on
 * undici's dispatcher, for its other methods make a stream of every answer, which costs more than all the rest.
 */
import { type Dispatcher, Pool } from 'undici'
import type { Upstream, UpstreamAnswer } from '../../core/ports.ts'
import { ArrivingBytes } from './response-body.ts'

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
export function makeOpenai(base: string, key: string | undefined): Upstream {
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
      return exchange(pool, { path: prefix + path, method, headers, body: body ?? null }, signal)
    },
    close: () => pool.close(),
  }
}

/** Sends a request, gives the answer when its head is here. When `signal` fires the exchange is ended, whatever its state. */
function exchange(pool: Pool, options: Dispatcher.DispatchOptions, signal: AbortSignal): Promise<UpstreamAnswer> {
  if (signal.aborted) return Promise.reject(new Error('the call was given up before it was sent'))
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamAnswer>()
  let control: Dispatcher.DispatchController | undefined
  let bytes: ArrivingBytes | undefined
  const giveUp = (): void => {
    const why = new Error('the call was given up')
    control?.abort(why)
    reject(why)
  }
  const over = (cause?: Error): void => {
    signal.removeEventListener('abort', giveUp)
    bytes?.end(cause)
    if (cause) reject(cause)
  }
  signal.addEventListener('abort', giveUp, { once: true })
  pool.dispatch(options, {
    onRequestStart: (controller) => {
      control = controller
      if (signal.aborted) giveUp()
    },
    onResponseStart: (controller, status, headers) => {
      // Hints come before the answer.
      if (status < 200) return
      bytes = new ArrivingBytes(controller)
      resolve({ status, headers: kept(headers), body: bytes.pieces(), whole: bytes.whole })
    },
    onResponseData: (_controller, part) => bytes?.take(part),
    onResponseEnd: () => over(),
    onResponseError: (_controller, cause) => over(cause),
  })
  return promise
}

function kept(headers: Readonly<Record<string, unknown>>): UpstreamAnswer['headers'] {
  const values: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = headers[name]
    if (typeof value === 'string') values[name] = value
  }
  return values
}
