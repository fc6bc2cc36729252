/**
 * Clients that shut their sending side after the request, and still want the answer (RFC 9112, section 9.6). To the
 * server they look like clients that went away, until something is sent to them: one that has gone answers with a reset.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { LastExchange } from './last-exchange.ts'

/** The first wait between two probes; each is twice as long as the one before. */
const PROBE_MS = 50
const PROBES_MAX = 8

/** A comment of server-sent events. Streams are written in whole events, so one fits anywhere. */
const COMMENT = ':\n\n'

/** Makes a server answer on half-closed connections. Must be called before it listens. */
export function allowHalfClosed(server: Server): void {
  // Not in Node's types: the other side's end does not end ours.
  Object.assign(server, { httpAllowHalfOpen: true })
}

/** Looks after a connection whose client may end its side. */
export function answerHalfClosed(socket: Socket, last: LastExchange): void {
  socket.once('end', () => {
    if (last.request && last.response) probe(last.request, last.response, PROBE_MS, PROBES_MAX)
  })
}

/**
 * Sends a client that has ended its side something that means nothing: an interim response, or a comment of a stream.
 * When it waits it has to ignore that; when it has gone it resets the connection, which closes the response. A client
 * that said that it would close is taken at its word until its stream has begun.
 */
function probe(request: IncomingMessage, response: ServerResponse, waitMs: number, probesLeft: number): void {
  if (probesLeft === 0 || response.writableEnded || response.destroyed) return
  const isAnnounced = request.httpVersion === '1.0' || /\bclose\b/i.test(request.headers.connection ?? '')
  if (!response.headersSent) {
    if (!isAnnounced) response.writeProcessing()
  } else if (/^text\/event-stream\b/.test(String(response.getHeader('content-type')))) response.write(COMMENT)
  const timer = setTimeout(() => probe(request, response, waitMs * 2, probesLeft - 1), waitMs)
  response.once('close', () => clearTimeout(timer))
}
