/** The routes of the agent registry. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as v from 'valibot'
import {
  type AgentService,
  createAgent,
  createDeveloperKey,
  readAgent,
  removeAgent,
  rotateAgentKey,
} from '../access/agent-service.ts'
import { listAgents } from '../access/agent-store.ts'
import type { Role } from '../access/role.ts'
import { principalOf, unwrap } from '../http/access-result.ts'
import { PublicError } from '../http/public-error.ts'

/** PostgreSQL stores every character but this one. */
const NUL = '\0'
const optionalText = (charsMax: number) =>
  v.optional(v.pipe(v.string(), v.maxLength(charsMax), v.excludes(NUL, 'holds the character U+0000')))

const NEW_AGENT = v.object({
  agent_id: v.pipe(
    v.string(),
    v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'has to be 1 to 128 letters, digits, dots, dashes or underscores'),
  ),
  framework: optionalText(128),
  description: optionalText(2000),
  owner_email: optionalText(320),
  intended_use: optionalText(2000),
})

const DEVELOPER_KEY = v.object({
  developer_email: v.pipe(v.string(), v.maxLength(320), v.regex(/^[^\s@\0]+@[^\s@\0]+$/, 'is not an e-mail address')),
  name: optionalText(128),
  expires_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650)), 90),
})

/** Characters of a problem that are shown: some messages repeat the value, which may be as long as a body. */
const PROBLEM_CHARS_MAX = 160

type IdParameter = { Params: { id: string } }

/** Adds the routes. Keys are checked before bodies are read. */
export function agentRoutes(server: FastifyInstance, service: AgentService): void {
  const { authenticator, database } = service
  const requireRole = (role: Role) => ({
    onRequest: async (request: FastifyRequest): Promise<void> => {
      request.principal = await principalOf(authenticator, request.headers, role)
    },
  })

  server.get('/agents', requireRole('AUDITOR'), async () => ({ data: await listAgents(database) }))

  server.get<IdParameter>('/agents/:id', requireRole('AUDITOR'), async ({ params }) =>
    unwrap(await readAgent(database, params.id)),
  )

  server.post('/agents', requireRole('DEVELOPER'), async (request, reply) => {
    const { agent, key } = unwrap(await createAgent(service, parse(NEW_AGENT, request.body), request))
    return reply.code(201).send({ ...agent, api_key: key })
  })

  server.delete<IdParameter>('/agents/:id', requireRole('ADMIN'), async (request, reply) => {
    unwrap(await removeAgent(service, request.params.id, request))
    return reply.code(204).send()
  })

  server.post<IdParameter>('/agents/:id/rotate-key', requireRole('ADMIN'), async (request) => {
    const { agent, key } = unwrap(await rotateAgentKey(service, request.params.id, request))
    return { agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, api_key: key }
  })

  server.post<IdParameter>('/agents/:id/developer-keys', requireRole('ADMIN'), async (request, reply) => {
    const { developer_email: email, name, expires_days: expiresDays } = parse(DEVELOPER_KEY, request.body)
    const developer = { email, name, expiresDays }
    const { agent, key } = unwrap(await createDeveloperKey(service, request.params.id, developer, request))
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
