/**
 * Bodies that nobody reads because their request was answered before. A connection that is closed while its client
 * still sends is reset, and the client never sees the answer: so what comes is dropped for a while (RFC 9112, section
 * 9.6). With `Expect: 100-continue` the body is asked for only when the headers were accepted (RFC 9110, section
 * 10.1.1).
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { LastExchange } from './last-exchange.ts'

/** How much of a body is dropped, and for how long, before the connection is closed all the same. */
const DROPPED_BYTES_MAX = 64 * 1024 * 1024
const DROPPING_MS_MAX = 15_000

const POLL_MS = 25

/** Requests that wait for `100 Continue`, with what makes their connection persistent again once they have it. */
const awaiting = new WeakMap<IncomingMessage, () => void>()

/** Looks after a connection: one whose client still sends is not closed at once. */
export function closeWhenRead(socket: Socket, last: LastExchange): void {
  const destroySoon = socket.destroySoon.bind(socket)
  // This is how Node closes a connection after its last response.
  socket.destroySoon = () => {
    if (last.request?.complete === false && last.response?.writableFinished) socket.end()
    else destroySoon()
  }
}

/** Makes a server answer clients that are still sending. */
export function answerSenders(server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    response.once('finish', () => dropRest(request, response))
  })
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // After a final response the client does not send the body, or does: the connection can't be used again.
    const isPersistent = response.shouldKeepAlive
    response.shouldKeepAlive = false
    awaiting.set(request, () => {
      response.shouldKeepAlive = isPersistent
      response.writeContinue()
    })
    server.emit('request', request, response)
  })
}

/** Asks for the body of a request that waits to be asked. */
export function askForBody(request: IncomingMessage): void {
  awaiting.get(request)?.()
  awaiting.delete(request)
}

/** Drops what comes of a request that was answered, up to the bounds; then the connection is closed. */
function dropRest(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request
  if (request.complete || socket.destroyed) return
  const readBytesMax = socket.bytesRead + DROPPED_BYTES_MAX
  let pollsLeft = DROPPING_MS_MAX / POLL_MS
  request.resume()
  const timer = setInterval(() => {
    pollsLeft -= 1
    const isOver = socket.bytesRead > readBytesMax || pollsLeft <= 0 || socket.readableEnded
    if (!request.complete && !isOver && !socket.destroyed) return
    clearInterval(timer)
    if (isOver || !response.shouldKeepAlive) socket.destroy()
  }, POLL_MS)
}
