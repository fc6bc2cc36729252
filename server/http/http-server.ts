/** The HTTP server under all routes: request ids, headers of every response, body parsing, errors. Knows no route. */
import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { Principal } from '../access/authenticator.ts'
import { type Agent, LARGE_CHARS } from '../core/call.ts'
import { type ErrorCode, errorBody, errorRow } from '../core/errors.ts'
import { DatabaseError } from '../database/database-error.ts'
import { PublicError } from './public-error.ts'

/**
 * Options of the server. `isPlainText`: whether detectors find nothing in a text. `isDraining`: responses then ask the client to close its connection.
 */
export type HttpServerOptions = Readonly<{
  bodyBytesMax: number
  newId: () => string
  isPlainText: (text: string) => boolean
  isDraining: () => boolean
  count: (method: string, path: string, status: number) => void
  log: FastifyBaseLogger
}>

/** Longer than a proxy keeps an idle connection to us (Caddy: 120 s), so that the proxy closes it, never we. */
const KEEP_ALIVE_MS = 180_000

/** Time for a client to send a whole request. */
const REQUEST_TIMEOUT_MS = 60_000

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
    genReqId: ({ headers }) => adoptedId(headers['x-request-id'], options) ?? options.newId(),
    rewriteUrl: ({ url = '/' }) => (url.startsWith('/v1/') ? url.slice('/v1'.length) : url),
    frameworkErrors: (error, request, reply) =>
      // No hook has run for these.
      void sendError(error, request, reply.headers({ ...SECURITY_HEADERS, ...idHeaders(request) }) as FastifyReply),
    clientErrorHandler: (_error, socket) => sendParseError(socket, options.newId()),
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: PARAMETER_CHARS_MAX },
  })
  server.decorateRequest('agent', undefined)
  server.decorateRequest('principal', undefined)
  server.decorateRequest('bodyText', '')
  server.decorateRequest('bodyBytes', 0)
  parseJsonOnly(server)
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS).headers(idHeaders(request))
    if (options.isDraining()) reply.header('connection', 'close')
    done()
  })
  server.addHook('onResponse', (request, reply, done) => {
    options.count(request.method, request.routeOptions.url ?? '(unknown)', reply.statusCode)
    done()
  })
  server.setErrorHandler(sendError)
  server.setNotFoundHandler((request, reply) => {
    const row = errorRow('route.unknown')
    return reply.code(row.status).send(errorBody(row, request.id))
  })
  return server
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

/** Ids of a form that says nothing: UUID, ULID, and either behind `req_`. */
const ID_FORM = /^(?:req_)?(?:[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-7][0-9A-HJKMNP-TV-Z]{25})$/i

/** Returns the id that a client gave its request; undefined when it is none. */
export function clientRequestId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined
}

/** Returns the client's id when it can be the request's own: it goes into the ledger, and on to the model server. */
function adoptedId(
  header: string | string[] | undefined,
  { isPlainText }: Pick<HttpServerOptions, 'isPlainText'>,
): string | undefined {
  const id = clientRequestId(header)
  return id !== undefined && ID_FORM.test(id) && isPlainText(id) ? id : undefined
}

/** The client's id comes back to it; the request's own stands beside it when it is another one. */
function idHeaders({ id, headers }: FastifyRequest): Readonly<Record<string, string>> {
  const clientId = clientRequestId(headers['x-request-id'])
  return clientId === undefined || clientId === id
    ? { 'x-request-id': id }
    : { 'x-request-id': clientId, 'x-tappass-request-id': id }
}

/** Turns anything thrown into a body of the table. What is not in it is our own failure, and only the log says more. */
function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // An error of the request itself means that the client disconnected.
  const isBrokenOff = thrown instanceof Error && thrown === request.raw.errored
  const error = isBrokenOff ? new PublicError('request.malformed', { cause: thrown }) : publicErrorOf(thrown)
  if (error.row.status >= 500) request.log.error({ err: thrown, request_id: request.id }, error.row.code)
  const body = errorBody(error.row, request.id, error.message, error.details)
  return reply
    .code(error.row.status)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(body))
}

/** Answers bytes that are not a request, and closes the connection. */
function sendParseError(socket: Socket, requestId: string): void {
  if (!socket.writable) return
  const row = errorRow('request.malformed')
  const body = JSON.stringify(errorBody(row, requestId, 'This is not a request in HTTP/1.1.'))
  const head = `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n`
  socket.write(`${head}x-request-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  // Closes both sides: a client that never closes its own would keep the descriptor for ever.
  socket.destroySoon()
}

function publicErrorOf(thrown: unknown): PublicError {
  if (thrown instanceof PublicError) return thrown
  if (thrown instanceof DatabaseError) return new PublicError('store.unavailable', { cause: thrown })
  const code = (thrown as { code?: unknown } | null)?.code
  const known = typeof code === 'string' ? CLIENT_ERRORS[code] : undefined
  return new PublicError(known ?? 'gateway.internal', { cause: thrown })
}
