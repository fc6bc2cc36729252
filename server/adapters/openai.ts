/** A model server that speaks the OpenAI API, over a pool of connections. Follows no redirect, decodes nothing. */
import type { Readable } from 'node:stream'
import { Pool } from 'undici'
import type { Upstream } from '../core/ports.ts'

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
    forward: async (path, body, callId, signal) => {
      const answer = await pool.request({
        path: prefix + path,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          ...authorization,
          'x-request-id': callId,
          'accept-encoding': 'identity',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        body: body ?? null,
        signal,
      })
      const headers: Record<string, string> = {}
      for (const name of KEPT_HEADERS) {
        const value = answer.headers[name]
        if (typeof value === 'string') headers[name] = value
      }
      return {
        status: answer.statusCode,
        headers,
        body: answer.body,
        whole: (bodyBytesMax) => readAll(answer.body, bodyBytesMax),
      }
    },
    close: () => pool.close(),
  }
}

/** Reads a body to its end; undefined, and no more is read, beyond `bodyBytesMax`. Events cost a third of what iterating does. */
function readAll(body: Readable, bodyBytesMax: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let bytes = 0
    body.on('data', (part: Buffer) => {
      bytes += part.length
      parts.push(part)
      if (bytes <= bodyBytesMax) return
      resolve(undefined)
      body.destroy()
    })
    body.once('end', () => resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts)))
    body.once('error', reject)
    body.once('close', () => reject(new Error('the answer broke off')))
  })
}
