/** The governed routes: chat completions, completions, embeddings, and the list of models. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Authenticator } from '../access/authenticator.ts'
import { ulid } from '../core/ulid.ts'
import { createBodyBudget } from '../governance/body-budget.ts'
import { govern } from '../governance/govern.ts'
import { parseFlags } from '../governance/governance-flag.ts'
import type { GovernedPath, GovernedRequest } from '../governance/governed-request.ts'
import { listModels } from '../governance/model-route.ts'
import { agentOf } from '../http/access-result.ts'
import { PublicError } from '../http/public-error.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import type { Reply } from '../pipeline/reply.ts'

const PATHS: readonly GovernedPath[] = ['/chat/completions', '/completions', '/embeddings']

/** Adds the routes. The key is checked, and the budget reserved, before the body is read. */
export function governedRoutes(server: FastifyInstance, authenticator: Authenticator, gateway: Gateway): void {
  const budget = createBodyBudget()
  const authenticate = async (request: FastifyRequest): Promise<void> => {
    request.agent = await agentOf(authenticator, request.headers)
  }
  const reserveBudget: onRequestHookHandler = ({ headers }, reply, done) => {
    // A body without a content-length counts as the largest allowed; one with a larger content-length is rejected by
    // its parser.
    const { bodyBytesMax } = gateway.limits
    const release = budget.reserve(Math.min(Number(headers['content-length'] ?? bodyBytesMax), bodyBytesMax))
    if (release) onClose(reply, release)
    done(release ? undefined : new PublicError('gateway.busy', { headers: { 'retry-after': '1' } }))
  }
  for (const path of PATHS) {
    server.post(path, { onRequest: [authenticate, reserveBudget] }, async (request, reply) => {
      const disconnected = new AbortController()
      onClose(reply, () => {
        if (!reply.raw.writableFinished) disconnected.abort()
      })
      return send(reply, await govern(gateway, requestOf(gateway, request, path, disconnected.signal)))
    })
  }
  server.get('/models', { onRequest: authenticate }, async (request, reply) =>
    send(reply, await listModels(gateway, request.id)),
  )
}

/** Calls `callback` when the response is sent or the client disconnects; at once when that has happened. */
function onClose(reply: FastifyReply, callback: () => void): void {
  if (reply.raw.destroyed) callback()
  else reply.raw.once('close', callback)
}

function requestOf(
  gateway: Gateway,
  request: FastifyRequest,
  path: GovernedPath,
  signal: AbortSignal,
): GovernedRequest {
  const { agent, headers, body, bodyBytes, id } = request
  if (!agent) throw new Error('a governed route was reached without authentication')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new PublicError('request.malformed')
  const parsed = parseFlags(textOf(headers['x-tappass-flags'] ?? headers['x-governance-flags']))
  if (parsed.status === 'invalid') throw new PublicError(parsed.code, { message: parsed.message })
  return { id, path, agent, session: sessionOf(gateway, headers), flags: parsed.flags, body, bodyBytes, signal }
}

/** The session that the client names, or a new one. */
function sessionOf({ ports }: Gateway, headers: FastifyRequest['headers']): string {
  const provided = textOf(headers['x-tappass-session'] ?? headers['x-session-id'])
  if (provided === undefined || provided === '') return `ses_${ulid(ports.clock, ports.random)}`
  if (!/^[\w.-]{1,128}$/.test(provided)) throw new PublicError('session.malformed')
  return provided
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}

/** Sends a reply. Its cause goes into the log, and nowhere else. */
function send(reply: FastifyReply, answer: Reply): FastifyReply {
  if (answer.cause !== undefined) reply.log.warn({ err: answer.cause, status: answer.status }, 'call failed')
  reply.code(answer.status).headers(answer.headers)
  if (answer.kind === 'stream') return reply.send(Readable.from(answer.chunks))
  return reply.type('application/json; charset=utf-8').send(answer.text)
}
