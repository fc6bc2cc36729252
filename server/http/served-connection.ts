/** What holds for every connection of a server that the routes are behind, whether it speaks TLS or not. */
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { errorBody, errorRow } from '../core/errors.ts'
import { answerHalfClosed } from './half-close.ts'
import { followExchanges } from './last-exchange.ts'
import { answerSenders, closeWhenRead } from './unread-body.ts'

/** Longer than a proxy keeps an idle connection to us (Caddy: 120 s), so that the proxy closes it, never we. */
export const KEEP_ALIVE_MS = 180_000

/** Time for a client to send a whole request. */
export const REQUEST_TIMEOUT_MS = 60_000

/** Looks after the connections of a server: `event` is the one that has the socket whose bytes are HTTP. */
export function serveConnections(server: Server, event: 'connection' | 'secureConnection'): void {
  followExchanges(server, event, (socket, last) => {
    closeWhenRead(socket, last)
    answerHalfClosed(socket, last)
  })
  answerSenders(server)
}

/** Answers bytes that are not a request, and closes the connection. */
export function sendParseError(socket: Socket, requestId: string): void {
  if (!socket.writable) return
  const row = errorRow('request.malformed')
  const body = JSON.stringify(errorBody(row, requestId, 'This is not a request in HTTP/1.1.'))
  const head = `HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\n`
  const ids = Object.entries({ 'x-request-id': requestId, 'request-id': requestId }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  socket.write(`${head}${ids.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  // Closes both sides: a client that never closes its own would keep the descriptor for ever.
  socket.destroySoon()
}
