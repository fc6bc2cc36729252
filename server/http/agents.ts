/** The routes of the register of agents. Whatever changes it is in the ledger before its answer leaves. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import {
  addDeveloperKey,
  deactivateAgent,
  findAgent,
  listAgents,
  type RegisteredAgent,
  registerAgent,
  rotateKey,
} from '../core/agent-register.ts'
import type { Door, Principal } from '../core/door.ts'
import { PublicError } from '../core/errors.ts'
import type { Ledger } from '../core/ledger.ts'
import type { Clock, Database, Random } from '../core/ports.ts'
import { adminEntry } from '../core/record.ts'

const text = (charsMax: number) => v.optional(v.pipe(v.string(), v.maxLength(charsMax)))

const NEW_AGENT = v.object({
  agent_id: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'has 1 to 128 letters, digits, dots, dashes or underscores'),
  ),
  framework: text(128),
  description: text(2000),
  owner_email: text(320),
  intended_use: text(2000),
})

const DEVELOPER_KEY = v.object({
  developer_email: v.pipe(v.string(), v.maxLength(320), v.regex(/^[^\s@]+@[^\s@]+$/, 'is not an e-mail address')),
  name: text(128),
  expires_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650)), 90),
})

/** What the routes work with. */
export type AgentRoutes = Readonly<{ door: Door; database: Database; ledger: Ledger; clock: Clock; random: Random }>

/** Adds the routes. */
export function agentRoutes(server: FastifyInstance, { door, database, ledger, clock, random }: AgentRoutes): void {
  const record = async (event: string, agent: RegisteredAgent, by: Principal, requestId: string): Promise<void> => {
    const entry = adminEntry(
      { clock, random },
      event,
      agent,
      by.kind === 'person' ? `key ${by.keyId}` : by.kind,
      requestId,
    )
    await ledger.append(entry).catch((cause: unknown) => {
      throw new PublicError('ledger.unavailable', { cause })
    })
  }
  const wanted = async (name: string): Promise<RegisteredAgent> => {
    const agent = await findAgent(database, name)
    if (!agent) throw new PublicError('agent.unknown')
    return agent
  }

  server.post('/agents', async (request, reply) => {
    const by = await door.admit(request.headers, 'DEVELOPER')
    const registered = await registerAgent(database, random, parse(NEW_AGENT, request.body))
    if (!registered) throw new PublicError('agent.exists')
    await record('agent.created', registered.agent, by, request.id)
    return reply.code(201).send({ ...registered.agent, api_key: registered.key })
  })
  server.get('/agents', async (request) => {
    await door.admit(request.headers, 'AUDITOR')
    return { data: await listAgents(database) }
  })
  server.get<{ Params: { id: string } }>('/agents/:id', async (request) => {
    await door.admit(request.headers, 'AUDITOR')
    return wanted(request.params.id)
  })
  server.delete<{ Params: { id: string } }>('/agents/:id', async (request, reply) => {
    const by = await door.admit(request.headers, 'ADMIN')
    const agent = await wanted(request.params.id)
    await deactivateAgent(database, agent)
    door.forget()
    await record('agent.deactivated', agent, by, request.id)
    return reply.code(204).send()
  })
  server.post<{ Params: { id: string } }>('/agents/:id/rotate-key', async (request) => {
    const by = await door.admit(request.headers, 'ADMIN')
    const agent = await wanted(request.params.id)
    const key = await rotateKey(database, random, agent)
    door.forget()
    await record('key.rotated', agent, by, request.id)
    return { agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, api_key: key }
  })
  server.post<{ Params: { id: string } }>('/agents/:id/developer-keys', async (request, reply) => {
    const by = await door.admit(request.headers, 'ADMIN')
    const agent = await wanted(request.params.id)
    const { developer_email, name, expires_days } = parse(DEVELOPER_KEY, request.body)
    const key = await addDeveloperKey(database, random, agent, {
      email: developer_email,
      name,
      expiresDays: expires_days,
    })
    await record('key.created', agent, by, request.id)
    return reply
      .code(201)
      .send({ agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, developer_email, api_key: key })
  })
}

function parse<Schema extends v.GenericSchema>(schema: Schema, body: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, body)
  if (parsed.success) return parsed.output
  const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}`)
  throw new PublicError('request.invalid', { message: `The request is not valid. ${problems.join('; ')}` })
}
