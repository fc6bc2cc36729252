/**
 * OTLP over gRPC on Node's own HTTP/2: one unary call, whose message is a prefix of five bytes and the request. The library for gRPC would bring
 * forty-five packages for it, a compiler of protocol buffers and a command-line parser among them.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { ExportResponse, IExporterTransport } from '@opentelemetry/otlp-exporter-base'

/** Where a collector takes traces. */
const METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

/** Statuses after which the same request may be sent again (OTLP's specification): cancelled, too late, exhausted, aborted, out of range, unavailable, lost. */
const RETRYABLE: ReadonlySet<number> = new Set([1, 4, 8, 10, 11, 14, 15])
const DEADLINE = 4
const UNAVAILABLE = 14

/** Before it is sent again the first time; then twice as long each time. */
const BACKOFF_MS = 1000

/** An answer of more bytes is none: it says at most how many spans were refused, and why. */
const ANSWER_BYTES_MAX = 1024 * 1024

/** The error of a call that ended with a status other than 0. */
class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: string

  constructor(status: number) {
    super(`status ${status}`)
    this.code = String(status)
  }
}

/** Creates the transport. `endpoint` is http:// or https://, and `headers` go along as metadata. */
export function createGrpcTransport(endpoint: string, headers: Readonly<Record<string, string>>): IExporterTransport {
  const { origin } = new URL(endpoint)
  let session: ClientHttp2Session | undefined
  const opened = (): ClientHttp2Session => {
    if (session && !session.closed && !session.destroyed) return session
    session = connect(origin)
    // Each call has its own event of a broken connection.
    session.on('error', () => {})
    session.unref()
    return session
  }
  return {
    send: async (data, timeoutMs) => {
      const message = framed(data)
      const endMs = performance.now() + timeoutMs
      for (let waitMs = BACKOFF_MS; ; waitMs *= 2) {
        const response = await call(opened(), headers, message, Math.max(1, endMs - performance.now()))
        if (response.status !== 'retryable' || performance.now() + waitMs >= endMs) return response
        await sleep(waitMs, undefined, { ref: false })
      }
    },
    shutdown: () => session?.close(),
  }
}

/** A compressed message: a byte that says so, its length, and its bytes. */
function framed(data: Uint8Array): Buffer {
  const packed = gzipSync(data)
  const head = Buffer.alloc(5)
  head.writeUInt8(1, 0)
  head.writeUInt32BE(packed.length, 1)
  return Buffer.concat([head, packed])
}

function call(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  message: Buffer,
  timeoutMs: number,
): Promise<ExportResponse> {
  const { promise, resolve } = Promise.withResolvers<ExportResponse>()
  const stream = session.request({
    ...headers,
    ':method': 'POST',
    ':path': METHOD,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-encoding': 'gzip',
    'grpc-accept-encoding': 'identity',
    'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
  })
  let status: number | undefined
  const answer: Buffer[] = []
  let bytes = 0
  const read = (fields: Readonly<Record<string, unknown>>): void => {
    const value = Number(fields['grpc-status'] ?? Number.NaN)
    if (Number.isInteger(value)) status = value
  }
  const timer = setTimeout(() => {
    status = DEADLINE
    stream.close(constants.NGHTTP2_CANCEL)
  }, timeoutMs)
  timer.unref()
  stream.on('response', read).on('trailers', read)
  stream.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes <= ANSWER_BYTES_MAX) answer.push(part)
    else stream.close(constants.NGHTTP2_CANCEL)
  })
  // The event that follows says that there is no status.
  stream.on('error', () => {})
  stream.on('close', () => {
    clearTimeout(timer)
    resolve(responseOf(status ?? UNAVAILABLE, Buffer.concat(answer).subarray(5)))
  })
  stream.end(message)
  return promise
}

function responseOf(status: number, data: Buffer): ExportResponse {
  if (status === 0) return { status: 'success', data }
  const error = new GrpcError(status)
  return RETRYABLE.has(status) ? { status: 'retryable', error } : { status: 'failure', error }
}
