/** Connections through an HTTP proxy: CONNECT (RFC 9110, 9.3.6), then TLS with the server itself, which the proxy cannot read. */
import { type ClientRequest, request } from 'node:http'
import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'

const CONNECTED = 200

function askForTunnel(proxy: URL, authority: string, timeoutMs: number): ClientRequest {
  const { hostname, port } = proxy
  return request({
    ...{ method: 'CONNECT', path: authority, headers: { host: authority }, timeout: timeoutMs, agent: false },
    ...{ host: hostname.replace(/^\[(.*)\]$/, '$1'), port: port || 80 },
  })
}

/**
 * Returns a connector that reaches servers through `proxy` (`http://host:port`). `connect` then speaks TLS over the tunnel and checks the
 * server's certificate as it would without one. A proxy that does not answer in `timeoutMs`, or refuses, is an error that names both.
 */
export function connectThrough(
  proxy: string,
  timeoutMs: number,
  connect: buildConnector.connector,
): buildConnector.connector {
  const address = new URL(proxy)
  return (target, callback) => {
    const authority = `${target.hostname}:${target.port || 443}`
    const tunnel = askForTunnel(address, authority, timeoutMs)
    const fail = (reason: string, cause?: unknown): void => {
      callback(new Error(`no way to ${authority} through the proxy ${address.host}: ${reason}`, { cause }), null)
    }
    tunnel.once('connect', ({ statusCode }, socket: Socket) => {
      // The time was for the proxy; a silent model is somebody else's.
      socket.setTimeout(0)
      if (statusCode === CONNECTED) return connect({ ...target, httpSocket: socket }, callback)
      socket.destroy()
      fail(`it answered ${statusCode}`)
    })
    tunnel.once('response', (response) => {
      response.destroy()
      fail(`it answered ${response.statusCode}`)
    })
    tunnel.once('timeout', () => tunnel.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    tunnel.once('error', (error) => fail(error.message, error))
    tunnel.end()
  }
}
