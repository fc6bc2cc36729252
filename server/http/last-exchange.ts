/** The last request of each connection, and its response. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Empty until a connection has its first request. */
export type LastExchange = { request?: IncomingMessage; response?: ServerResponse }

/**
 * Notes them for a server, and calls `onConnection` for each new connection, of which `event` tells. One entry for each connection, not one for each
 * request: the garbage collector pays most for entries of weak maps.
 */
export function followExchanges(
  server: Server,
  event: 'connection' | 'secureConnection',
  onConnection: (socket: Socket, last: LastExchange) => void,
): void {
  const lastOf = new WeakMap<Socket, LastExchange>()
  server.on(event, (socket: Socket) => {
    const last: LastExchange = {}
    lastOf.set(socket, last)
    onConnection(socket, last)
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const last = lastOf.get(request.socket)
    if (last) Object.assign(last, { request, response })
  })
}
