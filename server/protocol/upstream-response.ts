/** Reads the response of a model server, without trusting it: bounded, and JSON or nothing. */
import type { UpstreamResponse } from '../core/ports.ts'
import { decodeUtf8 } from './json-text.ts'
import { readError } from './upstream-error.ts'

/** Maximum size of a response that is read as a whole. A larger one is rejected; streams have no such bound. */
export const RESPONSE_BYTES_MAX = 32 * 1024 * 1024

/**
 * The content of a response: a body and the text that it was parsed from. `error` carries the OpenAI error that may be
 * evaluated and passed on.
 */
export type ResponseContent =
  | Readonly<{ kind: 'stream' }>
  | Readonly<{ kind: 'body'; body: object; text: string; bodyBytes: number }>
  | Readonly<{ kind: 'error'; body: object; text: string; bodyBytes: number }>
  | Readonly<{ kind: 'rejected' }>
  | Readonly<{ kind: 'malformed'; reason: string }>

/**
 * Given a response, returns its content. 401, 403, 407 and redirects are about the gateway's own credentials and
 * address, and would mislead the client about its own: they are 'rejected'. Throws when the connection breaks.
 */
export async function readResponse(response: UpstreamResponse, isStream: boolean): Promise<ResponseContent> {
  const isOk = response.status >= 200 && response.status < 300
  const isEvents = /^text\/event-stream\b/i.test(response.headers['content-type'] ?? '')
  const encoding = response.headers['content-encoding']
  if (isOk && isEvents && isStream && encoding === undefined) return { kind: 'stream' }
  const bytes = await response.bytes(RESPONSE_BYTES_MAX)
  if (
    [401, 403, 407].includes(response.status) ||
    response.status < 200 ||
    (response.status >= 300 && response.status < 400)
  ) {
    return { kind: 'rejected' }
  }
  // Adapters decode what they can; what is still encoded is no text.
  const text = bytes && encoding === undefined ? decodeUtf8(bytes) : undefined
  const bodyBytes = bytes?.byteLength ?? 0
  if (!isOk) {
    const error = readError(text, response.status)
    return { kind: 'error', body: error, text: JSON.stringify(error), bodyBytes }
  }
  const body = text === undefined ? undefined : parseObject(text)
  if (body && text !== undefined) return { kind: 'body', body, text, bodyBytes }
  const type = response.headers['content-type'] ?? 'no content-type'
  const reason = encoding === undefined ? `no JSON object (${type})` : `the content-encoding ${encoding} is not known`
  return { kind: 'malformed', reason }
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
