/** Reads the response of a model server, without trusting it: bounded, and JSON or nothing. */
import type { UpstreamResponse } from '../core/ports.ts'
import { readError } from './upstream-error.ts'

/** Maximum size of a response that is read as a whole. A larger one is rejected; streams have no such bound. */
export const RESPONSE_BYTES_MAX = 32 * 1024 * 1024

/** The content of a response. `error` carries the OpenAI error that may be evaluated and passed on. */
export type ResponseContent =
  | Readonly<{ kind: 'stream' }>
  | Readonly<{ kind: 'body'; body: object; bodyBytes: number }>
  | Readonly<{ kind: 'error'; body: object; bodyBytes: number }>
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
  const text = bytes && encoding === undefined ? textOf(bytes) : undefined
  const body = text === undefined ? undefined : parseObject(text)
  if (!isOk) return { kind: 'error', body: readError(text, response.status), bodyBytes: bytes?.byteLength ?? 0 }
  if (body && bytes) return { kind: 'body', body, bodyBytes: bytes.byteLength }
  const type = response.headers['content-type'] ?? 'no content-type'
  const reason = encoding === undefined ? `no JSON object (${type})` : `the content-encoding ${encoding} is not known`
  return { kind: 'malformed', reason }
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
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
