/**
 * Stops a server without failing a request. Only the listener is closed: Node's own close also ends connections whose
 * first request is still in transit. Responses carry `connection: close` from now on, so clients disconnect by
 * themselves.
 */

import type { Server } from 'node:http'
import { Server as Listener } from 'node:net'
import type { Clock } from '../core/ports.ts'

/** Quiet time after which open connections are idle, and are closed. Clients have sent by then what they had to send. */
const QUIET_MS = 1000

const POLL_MS = 25

/** Requests in flight, for `drain`. `lastMs` is when one last began or ended. */
export type Traffic = { open: number; lastMs: number }

/** Starts to count the requests of a server. */
export function watchTraffic(server: Server, clock: Clock): Traffic {
  const traffic: Traffic = { open: 0, lastMs: clock.elapsedMs() }
  server.on('request', (_request, response) => {
    traffic.open += 1
    traffic.lastMs = clock.elapsedMs()
    response.once('close', () => {
      traffic.open -= 1
      traffic.lastMs = clock.elapsedMs()
    })
  })
  server.on('connection', () => {
    traffic.lastMs = clock.elapsedMs()
  })
  return traffic
}

/** Resolves when every connection is closed; those still open after `limitMs` are destroyed. Returns whether any was. */
export async function drain(
  server: Server,
  traffic: Traffic,
  limitMs: number,
  clock: Clock,
): Promise<'drained' | 'cut'> {
  const startMs = clock.elapsedMs()
  Listener.prototype.close.call(server)
  while ((await countConnections(server)) > 0) {
    const nowMs = clock.elapsedMs()
    if (nowMs - startMs >= limitMs) {
      server.closeAllConnections()
      return 'cut'
    }
    if (traffic.open === 0 && nowMs - traffic.lastMs >= QUIET_MS) server.closeIdleConnections()
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return 'drained'
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
  })
}
