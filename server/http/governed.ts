/** The governed routes: chat completions, completions, embeddings, and the list of models. */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import type { Door } from '../access/authenticator.ts'
import { PublicError } from '../core/errors.ts'
import { ulid } from '../core/ulid.ts'
import { makeBodyRoom } from '../governance/body-budget.ts'
import { govern } from '../governance/govern.ts'
import { parseFlags } from '../governance/governance-flag.ts'
import type { Asked, Path } from '../governance/governed-request.ts'
import { listModels } from '../governance/model-list.ts'
import type { Gateway } from '../pipeline/judge.ts'
import type { Reply } from '../pipeline/reply.ts'

const PATHS: readonly Path[] = ['/chat/completions', '/completions', '/embeddings']

/** Adds the routes. The key is checked, and room made, before the body is read. */
export function governedRoutes(server: FastifyInstance, door: Door, gateway: Gateway): void {
  const room = makeBodyRoom()
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    request.agent = await door.admitAgent(request.headers)
  }
  const makeRoom: onRequestHookHandler = ({ headers }, reply, done) => {
    // A body that does not say how long it is may be as long as bodies may be; one that says more is refused by its parser.
    const { bodyBytesMax } = gateway.limits
    const leave = room.enter(Math.min(Number(headers['content-length'] ?? bodyBytesMax), bodyBytesMax))
    if (leave) onceGone(reply, leave)
    done(leave ? undefined : new PublicError('gateway.busy', { headers: { 'retry-after': '1' } }))
  }
  for (const path of PATHS) {
    server.post(path, { onRequest: [onRequest, makeRoom] }, async (request, reply) => {
      const gone = new AbortController()
      onceGone(reply, () => {
        if (!reply.raw.writableFinished) gone.abort()
      })
      return send(reply, await govern(gateway, askedOf(gateway, request, path, gone.signal)))
    })
  }
  server.get('/models', { onRequest }, async (request, reply) => send(reply, await listModels(gateway, request.id)))
}

/** Calls `then` when the answer has left, or the client; at once when he has already. */
function onceGone(reply: FastifyReply, then: () => void): void {
  if (reply.raw.destroyed) then()
  else reply.raw.once('close', then)
}

function askedOf(gateway: Gateway, request: FastifyRequest, path: Path, signal: AbortSignal): Asked {
  const { agent, headers, body, bodyBytes, id } = request
  if (!agent) throw new Error('a governed route was reached past its door')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new PublicError('request.malformed')
  const parsed = parseFlags(textOf(headers['x-tappass-flags'] ?? headers['x-governance-flags']))
  if (parsed.status === 'refused') throw new PublicError(parsed.code, { message: parsed.message })
  return { id, path, agent, session: sessionOf(gateway, headers), flags: parsed.flags, body, bodyBytes, signal }
}

/** The session that the client names, or a new one. */
function sessionOf({ ports }: Gateway, headers: FastifyRequest['headers']): string {
  const given = textOf(headers['x-tappass-session'] ?? headers['x-session-id'])
  if (given === undefined || given === '') return `ses_${ulid(ports.clock, ports.random)}`
  if (!/^[\w.-]{1,128}$/.test(given)) throw new PublicError('session.malformed')
  return given
}

const textOf = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header.join(',') : header

/** Writes a reply of the core out. Its cause goes into the log, and nowhere else. */
function send(reply: FastifyReply, answer: Reply): FastifyReply {
  if (answer.cause !== undefined) reply.log.warn({ err: answer.cause, status: answer.status }, 'call failed')
  reply.code(answer.status).headers(answer.headers)
  if (answer.kind === 'stream') return reply.send(Readable.from(answer.chunks))
  return reply.type('application/json; charset=utf-8').send(answer.text ?? JSON.stringify(answer.body))
}
