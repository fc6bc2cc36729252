/** The routes of the register of agents. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as v from 'valibot'
import {
  createAgent,
  exchangeKey,
  giveDeveloperKey,
  type Register,
  removeAgent,
  wantedAgent,
} from '../access/agent-service.ts'
import { listAgents } from '../access/agent-store.ts'
import type { Role } from '../access/role.ts'
import { PublicError } from '../core/errors.ts'

/** PostgreSQL keeps every character but this one. */
const NUL = '\0'
const text = (charsMax: number) =>
  v.optional(v.pipe(v.string(), v.maxLength(charsMax), v.excludes(NUL, 'holds the character U+0000')))

const NEW_AGENT = v.object({
  agent_id: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'has to be 1 to 128 letters, digits, dots, dashes or underscores'),
  ),
  framework: text(128),
  description: text(2000),
  owner_email: text(320),
  intended_use: text(2000),
})

const DEVELOPER_KEY = v.object({
  developer_email: v.pipe(v.string(), v.maxLength(320), v.regex(/^[^\s@\0]+@[^\s@\0]+$/, 'is not an e-mail address')),
  name: text(128),
  expires_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650)), 90),
})

/** Characters of a problem that are shown: some messages repeat the value, which may be as long as a body. */
const PROBLEM_CHARS_MAX = 160

type Named = { Params: { id: string } }

/** Adds the routes. Keys are checked before bodies are read. */
export function agentRoutes(server: FastifyInstance, register: Register): void {
  const { door, database } = register
  const least = (role: Role) => ({
    onRequest: async (request: FastifyRequest): Promise<void> => {
      request.principal = await door.admit(request.headers, role)
    },
  })

  server.get('/agents', least('AUDITOR'), async () => ({ data: await listAgents(database) }))

  server.get<Named>('/agents/:id', least('AUDITOR'), ({ params }) => wantedAgent(database, params.id))

  server.post('/agents', least('DEVELOPER'), async (request, reply) => {
    const { agent, key } = await createAgent(register, parse(NEW_AGENT, request.body), request)
    return reply.code(201).send({ ...agent, api_key: key })
  })

  server.delete<Named>('/agents/:id', least('ADMIN'), async (request, reply) => {
    await removeAgent(register, request.params.id, request)
    return reply.code(204).send()
  })

  server.post<Named>('/agents/:id/rotate-key', least('ADMIN'), async (request) => {
    const { agent, key } = await exchangeKey(register, request.params.id, request)
    return { agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, api_key: key }
  })

  server.post<Named>('/agents/:id/developer-keys', least('ADMIN'), async (request, reply) => {
    const { developer_email: email, name, expires_days: expiresDays } = parse(DEVELOPER_KEY, request.body)
    const { agent, key } = await giveDeveloperKey(register, request.params.id, { email, name, expiresDays }, request)
    return reply
      .code(201)
      .send({ agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, developer_email: email, api_key: key })
  })
}

function parse<Schema extends v.GenericSchema>(schema: Schema, body: unknown): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, body)
  if (parsed.success) return parsed.output
  const problems = parsed.issues.map(
    (issue) => `${v.getDotPath(issue) ?? 'the body'}: ${issue.message.slice(0, PROBLEM_CHARS_MAX)}`,
  )
  throw new PublicError('request.invalid', { message: `The request is not valid. ${problems.join('; ')}` })
}
