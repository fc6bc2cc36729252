/** Reads the response of a model server, without trusting it: bounded, and JSON or nothing. */
import type { UpstreamResponse } from '../core/ports.ts'
import { decodeUtf8 } from './json-text.ts'

/** Maximum size of a response that is read as a whole. A larger one is rejected; streams have no such bound. */
export const RESPONSE_BYTES_MAX = 32 * 1024 * 1024

/**
 * The content of a response: a body and the text that it was parsed from; a larger text is not parsed here. `error` carries the OpenAI error that may be
 * evaluated and passed on.
 */
export type ResponseContent =
  | Readonly<{ kind: 'stream' }>
  | Readonly<{ kind: 'body'; body: object | undefined; text: string; bodyBytes: number }>
  | Readonly<{ kind: 'error'; body: object; text: string; bodyBytes: number }>
  | Readonly<{ kind: 'rejected' }>
  | Readonly<{ kind: 'malformed' }>

/**
 * Given a response, returns its content. 401, 403, 407 and redirects are about the gateway's own credentials and
 * address, and would mislead the client about its own: they are 'rejected'. A text of more than `parsedCharsMax` is not
 * parsed. Throws when the connection breaks.
 */
export async function readResponse(
  response: UpstreamResponse,
  isStream: boolean,
  parsedCharsMax: number = Number.POSITIVE_INFINITY,
): Promise<ResponseContent> {
  const isOk = response.status >= 200 && response.status < 300
  const isEvents = /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '')
  if (isOk && isEvents && isStream) return { kind: 'stream' }
  const bytes = await response.bytes(RESPONSE_BYTES_MAX)
  if (
    [401, 403, 407].includes(response.status) ||
    response.status < 200 ||
    (response.status >= 300 && response.status < 400)
  ) {
    return { kind: 'rejected' }
  }
  const text = bytes && decodeUtf8(bytes)
  const isLarge = text !== undefined && text.length > parsedCharsMax
  const body = text === undefined || isLarge ? undefined : parseObject(text)
  const bodyBytes = bytes?.byteLength ?? 0
  if (!isOk) {
    const error = errorOf(body, response.status)
    return { kind: 'error', body: error, text: JSON.stringify(error), bodyBytes }
  }
  return (body || isLarge) && text !== undefined ? { kind: 'body', body, text, bodyBytes } : { kind: 'malformed' }
}

/** Reads bytes to their end; undefined when there are more than `bodyBytesMax`, and then it stops reading. */
export async function readBytes(
  body: AsyncIterable<Uint8Array>,
  bodyBytesMax: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Returns the error of a body in the OpenAI format; of anything else only the status is passed on (undefined: in a stream). */
export function errorOf(body: object | undefined, status?: number): object {
  const error = (body as { error?: unknown } | undefined)?.error
  const members = typeof error === 'string' ? { message: error } : error
  const { message, type, param, code } = (typeof members === 'object' && members !== null ? members : {}) as Record<
    string,
    unknown
  >
  return {
    error: {
      message:
        typeof message === 'string'
          ? message
          : `The model server answered with ${status === undefined ? 'an error' : `status ${status}`}.`,
      type: typeof type === 'string' ? type : 'upstream_error',
      param: typeof param === 'string' ? param : null,
      code: typeof code === 'string' || typeof code === 'number' ? code : 'upstream.error',
    },
  }
}
