/** Records refusals of requests that never came to a judgement. */
import type { RouteShorthandOptions } from 'fastify'
import { appendRefusal } from '../pipeline/early-refusal.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { publicErrorOf } from './http-server.ts'
import { PublicError } from './public-error.ts'

/**
 * Returns what records that a request was refused before it could be judged; the server replies to it then, as to any. Who has
 * no key is not recorded: anybody could fill the ledger.
 */
export function recordRefusal(gateway: Gateway, path: string): NonNullable<RouteShorthandOptions['errorHandler']> {
  return async (error, { agent, id, bodyBytes = 0, trace }) => {
    if (agent === undefined) throw error
    const { code } = publicErrorOf(error, gateway.limits.bodyBytesMax).row
    const appended = await appendRefusal(gateway, { id, agent, path, bodyBytes, trace }, code)
    if (appended.status === 'unrecorded') throw new PublicError('ledger.unavailable', { cause: appended.cause })
    throw error
  }
}
