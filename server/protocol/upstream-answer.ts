/** Reads what a model server answered, without trusting it: bounded, and JSON or nothing. */
import type { UpstreamAnswer } from '../core/ports.ts'

/** Bytes of an answer that is read as a whole. Beyond it the answer is refused; streams have no such bound. */
export const ANSWER_BYTES_MAX = 32 * 1024 * 1024

/** What an answer turned out to be. `error` carries the OpenAI error that may be judged and passed on. */
export type Answer =
  | Readonly<{ kind: 'stream' }>
  | Readonly<{ kind: 'body'; body: object; bytes: number }>
  | Readonly<{ kind: 'error'; body: object; bytes: number }>
  | Readonly<{ kind: 'refused' }>
  | Readonly<{ kind: 'malformed' }>

/**
 * Takes an answer, gives what it is. 401, 403, 407 and redirects are about the gateway's own credentials and address, and
 * would tell the client a lie about its own: they are 'refused'. Throws when the connection breaks.
 */
export async function readAnswer(answer: UpstreamAnswer, isStream: boolean): Promise<Answer> {
  const isOk = answer.status >= 200 && answer.status < 300
  const isEvents = /^text\/event-stream\b/i.test(answer.headers['content-type'] ?? '')
  if (isOk && isEvents && isStream) return { kind: 'stream' }
  const bytes = await answer.whole(ANSWER_BYTES_MAX)
  if ([401, 403, 407].includes(answer.status) || answer.status < 200 || (answer.status >= 300 && answer.status < 400)) {
    return { kind: 'refused' }
  }
  const body = bytes && parseObject(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  if (!isOk) return { kind: 'error', body: errorOf(body, answer.status), bytes: bytes?.byteLength ?? 0 }
  return body ? { kind: 'body', body, bytes: bytes.byteLength } : { kind: 'malformed' }
}

/** Reads bytes to their end; undefined when there are more than `bodyBytesMax`, and then it stops reading. */
export async function readWhole(
  body: AsyncIterable<Uint8Array>,
  bodyBytesMax: number,
): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of body) {
    bytes += part.byteLength
    if (bytes > bodyBytesMax) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Gives the error of a body in the OpenAI shape; of anything else nothing but the status is passed on. */
function errorOf(body: object | undefined, status: number): object {
  const error = (body as { error?: unknown } | undefined)?.error
  const { message, type, param, code } = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >
  return {
    error: {
      message: typeof message === 'string' ? message : `The model server answered with status ${status}.`,
      type: typeof type === 'string' ? type : 'upstream_error',
      param: typeof param === 'string' ? param : null,
      code: typeof code === 'string' ? code : 'upstream.error',
    },
  }
}
