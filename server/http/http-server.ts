/** The HTTP server under all routes: request ids, headers of every response, body parsing, errors. Knows no route. */
import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Principal } from '../access/authenticator.ts'
import { type Agent, LARGE_CHARS } from '../core/call.ts'
import { type ErrorCode, errorBody } from '../core/errors.ts'
import type { CallTrace } from '../core/trace.ts'
import { DatabaseError } from '../database/database-error.ts'
import type { Reservation } from './budget-hook.ts'
import { crossOriginHeaders } from './cross-origin.ts'
import { errorHeaders } from './error-header.ts'
import { allowHalfClosed } from './half-close.ts'
import { PublicError } from './public-error.ts'
import type { ReplyWatch } from './reply-watch.ts'
import { adoptedId, idHeaders } from './request-id.ts'
import { routedPath } from './request-path.ts'
import { KEEP_ALIVE_MS, REQUEST_TIMEOUT_MS, sendParseError, serveConnections } from './served-connection.ts'
import { askForBody } from './unread-body.ts'
import { answerUnrouted } from './unrouted.ts'

/**
 * Options of the server. `isPlainText`: whether detectors find nothing in a text. `isDraining`: responses then ask the
 * client to close its connection. `corsOrigins`: whose pages may ask, `*` for all.
 */
export type HttpServerOptions = Readonly<{
  bodyBytesMax: number
  corsOrigins: readonly string[]
  newId: () => string
  isPlainText: (text: string) => boolean
  isDraining: () => boolean
  replies: Pick<ReplyWatch, 'watch'>
  log: FastifyBaseLogger
}>

const NOT_UTF8 = 'The body is not UTF-8, as JSON has to be (RFC 8259, section 8.1).'

/** Maximum length of a path parameter; an agent's name has up to 128. */
const PARAMETER_CHARS_MAX = 128

const SECURITY_HEADERS = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** Fastify's own errors that are the client's fault. */
const CLIENT_ERRORS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'request.too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'request.not_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'request.malformed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'request.malformed',
  FST_ERR_BAD_URL: 'route.unknown',
  FST_ERR_MAX_PARAM_LENGTH: 'route.unknown',
  FST_ERR_ROUTE_MISSING_CONTENT_TYPE: 'route.unknown',
  FST_ERR_ROUTE_MISSING_CONTENT: 'route.unknown',
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The authenticated agent of a governed route. */
    agent: Agent | undefined
    /** The authenticated principal of an administrative route. */
    principal: Principal | undefined
    /** The body as received, and how many bytes that are. A large one is only here, and not parsed. */
    bodyText: string
    bodyBytes: number
    /** The room that a governed route holds for the body. */
    reservation: Reservation | undefined
    /** Where calls are traced. */
    trace: CallTrace | undefined
  }
}

/** Creates the server without routes. A `/v1` prefix of a path is removed. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const server = Fastify({
    loggerInstance: options.log,
    // The ledger is the record of calls; the log shows failures.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyBytesMax,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    requestIdHeader: false,
    genReqId: ({ headers }) => adoptedId(headers['x-request-id'], options.isPlainText) ?? options.newId(),
    rewriteUrl: ({ url = '/' }) => routedPath(url),
    frameworkErrors: (error, request, reply) =>
      // No hook has run for these.
      void sendError(
        error,
        request,
        reply.headers({ ...SECURITY_HEADERS, ...idHeaders(request) }) as FastifyReply,
        options.bodyBytesMax,
      ),
    clientErrorHandler: (_error, socket) => sendParseError(socket, options.newId()),
    return503OnClosing: false,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
  })
  server.decorateRequest('agent', undefined)
  server.decorateRequest('principal', undefined)
  server.decorateRequest('bodyText', '')
  server.decorateRequest('bodyBytes', 0)
  server.decorateRequest('reservation', undefined)
  server.decorateRequest('trace', undefined)
  parseJsonOnly(server)
  allowHalfClosed(server.server)
  serveConnections(server.server, 'connection')
  addHooks(server, options)
  server.setErrorHandler((thrown, request, reply) => sendError(thrown, request, reply, options.bodyBytesMax))
  return server
}

/** Headers of every response, requests without a route, bodies that are refused by their headers. */
function addHooks(server: FastifyInstance, options: HttpServerOptions): void {
  options.replies.watch(server)
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      ...SECURITY_HEADERS,
      ...idHeaders(request),
      ...crossOriginHeaders(options.corsOrigins, request.headers),
    })
    if (options.isDraining()) reply.header('connection', 'close')
    done()
  })
  answerUnrouted(server, options.corsOrigins)
  server.addHook('preParsing', ({ raw }, _reply, payload, done) => {
    if (hasBody(raw)) {
      const refusal = headRefusal(raw.headers, options.bodyBytesMax)
      if (refusal) return done(refusal)
      askForBody(raw)
    }
    done(null, payload)
  })
}

/** True for a request whose body will be read. */
function hasBody({ method = '', headers }: IncomingMessage): boolean {
  if (/^(?:GET|HEAD)$/.test(method)) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Why a body is refused by its headers alone, before it is asked for and read. */
function headRefusal(headers: IncomingHttpHeaders, bodyBytesMax: number): PublicError | undefined {
  if (!/^\s*application\/json\s*(?:;|$)/i.test(headers['content-type'] ?? ''))
    return new PublicError('request.not_json')
  if (isEncoded(headers['content-encoding'])) return unsupportedEncoding()
  return Number(headers['content-length'] ?? 0) > bodyBytesMax ? tooLarge(bodyBytesMax) : undefined
}

function tooLarge(bodyBytesMax: number, cause?: unknown): PublicError {
  const message = `The body is larger than ${bodyBytesMax / 1024 / 1024} MB.`
  return new PublicError('request.too_large', { message, headers: { connection: 'close' }, cause })
}

/** Other content types, and encoded bodies, are rejected with 415; an empty body is no body. */
function parseJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (isEncoded(request.headers['content-encoding'])) return done(unsupportedEncoding())
    if (!isUtf8(bytes as Buffer)) return done(new PublicError('request.malformed', { message: NOT_UTF8 }))
    const text = bytes.toString('utf8')
    request.bodyText = text
    request.bodyBytes = bytes.length
    try {
      // A large body is read in another thread.
      done(null, text === '' || text.length > LARGE_CHARS ? undefined : JSON.parse(text))
    } catch (cause) {
      done(new PublicError('request.malformed', { cause }))
    }
  })
}

/** `identity` is an encoding that changes nothing. */
function isEncoded(encoding: string | undefined): boolean {
  return encoding !== undefined && encoding !== '' && encoding.toLowerCase() !== 'identity'
}

/** Names what is accepted, as RFC 9110 (section 15.5.16) requires. */
function unsupportedEncoding(): PublicError {
  const message = 'The body has a content-encoding, which this gateway does not decode: send it as plain JSON.'
  return new PublicError('request.not_json', { message, headers: { 'accept-encoding': 'identity' } })
}

/** Turns anything thrown into a body of the table. What is not in it is our own failure, and only the log says more. */
function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply, bodyBytesMax: number): FastifyReply {
  // An error of the request itself means that the client disconnected.
  const isBrokenOff = thrown instanceof Error && thrown === request.raw.errored
  const error = isBrokenOff
    ? new PublicError('request.malformed', { cause: thrown })
    : publicErrorOf(thrown, bodyBytesMax)
  if (error.row.status >= 500) request.log.error({ err: thrown, request_id: request.id }, error.row.code)
  const body = errorBody(error.row, request.id, error.message, error.details)
  return reply
    .code(error.row.status)
    .headers({ ...error.headers, ...errorHeaders(error.row) })
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

/** Returns the error of the table that a client gets for anything thrown. */
export function publicErrorOf(thrown: unknown, bodyBytesMax: number): PublicError {
  if (thrown instanceof PublicError) return thrown
  if (thrown instanceof DatabaseError) return new PublicError('store.unavailable', { cause: thrown })
  const code = (thrown as { code?: unknown } | null)?.code
  const known = typeof code === 'string' ? CLIENT_ERRORS[code] : undefined
  if (known === 'request.too_large') return tooLarge(bodyBytesMax, thrown)
  return new PublicError(known ?? 'gateway.internal', { cause: thrown })
}
