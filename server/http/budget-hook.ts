/** Reserves memory for a body: after its key was checked, before it is read, until its response is sent. */
import type { FastifyReply, FastifyRequest, onRequestHookHandler, preHandlerHookHandler } from 'fastify'
import type { Agent } from '../core/call.ts'
import { PublicError } from './public-error.ts'

/** The room of one body: `settle` gives back all but these bytes, `release` gives back all. */
export type Reservation = Readonly<{ settle: (bodyBytes: number) => void; release: () => void }>

/** What is reserved of; undefined when there is no room. */
type Budget = Readonly<{ reserve: (agentUuid: string, bodyBytes: number) => Reservation | undefined }>

/** Hooks for a route: the one reserves before the body is read, the other gives back what it does not take. */
type BudgetHooks = Readonly<{ onRequest: onRequestHookHandler; preHandler: preHandlerHookHandler }>

/** Creates the hooks of routes whose bodies are held while their calls are in flight. */
export function budgetHooks(budget: Budget, bodyBytesMax: number): BudgetHooks {
  return {
    onRequest: (request, reply, done) => {
      // A body without a content-length counts as the largest allowed until it is read; one with a larger
      // content-length is rejected before.
      const bodyBytes = Math.min(Number(request.headers['content-length'] ?? bodyBytesMax), bodyBytesMax)
      const reservation = budget.reserve(authenticatedAgent(request).uuid, bodyBytes)
      if (!reservation) return done(new PublicError('gateway.busy', { headers: { 'retry-after': '1' } }))
      request.reservation = reservation
      onClose(reply, reservation.release)
      done()
    },
    preHandler: (request, _reply, done) => {
      request.reservation?.settle(request.bodyBytes)
      done()
    },
  }
}

/** Returns the agent of a request whose route wants the key of one. Throws when its key was not checked. */
export function authenticatedAgent({ agent }: FastifyRequest): Agent {
  if (!agent) throw new Error('a governed route was reached without authentication')
  return agent
}

/** Calls `callback` when the response is sent or the client disconnects; at once when that has happened. */
export function onClose(reply: FastifyReply, callback: () => void): void {
  if (reply.raw.destroyed) callback()
  else reply.raw.once('close', callback)
}
