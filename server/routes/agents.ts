/** The routes of the agent registry. */
import type { FastifyInstance } from 'fastify'
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
import { unwrap } from '../http/access-result.ts'
import { PublicError } from '../http/public-error.ts'
import type { ValibotTypeProvider } from '../http/validation.ts'

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
  spiffe_id: optionalText(2048),
})

const DEVELOPER_KEY = v.object({
  developer_email: v.pipe(v.string(), v.maxLength(320), v.regex(/^[^\s@\0]+@[^\s@\0]+$/, 'is not an e-mail address')),
  name: optionalText(128),
  expires_days: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(3650)), 90),
})

const NOT_VALID = 'The request is not valid.'
const NOT_PLAIN = 'looks like a secret or personal data, which a name that is recorded may not be'

const IDENTIFIED = v.object({ id: v.pipe(v.string(), v.description('agent_id or agent_uuid')) })

const TIME = v.pipe(v.string(), v.isoTimestamp())
const TEXT_OR_NULL = v.nullable(v.string())
const AGENT = v.object({
  agent_id: v.string(),
  agent_uuid: v.string(),
  org_id: v.string(),
  framework: TEXT_OR_NULL,
  description: TEXT_OR_NULL,
  owner_email: TEXT_OR_NULL,
  intended_use: TEXT_OR_NULL,
  spiffe_id: TEXT_OR_NULL,
  is_active: v.boolean(),
  created_at: TIME,
  active: v.pipe(v.boolean(), v.description("The same as is_active, as TapPass's SDK reads it")),
  registered_at: v.pipe(TIME, v.description('The same as created_at')),
  last_used_at: v.nullable(v.pipe(TIME, v.description('Accurate to a minute'))),
})

const ISSUED = { agent_id: v.string(), agent_uuid: v.string(), api_key: v.string() }

const CREATED = v.object({ ...AGENT.entries, ...ISSUED, api_key: v.optional(v.string()) })

const described = <Schema extends v.GenericSchema>(schema: Schema, description: string) =>
  v.pipe(schema, v.description(description))

const LIST = {
  schema: {
    summary: 'The register of agents',
    description: '`{data: […]}`',
    tags: ['Agents'],
    response: { 200: described(v.object({ data: v.array(AGENT) }), 'The agents') },
  },
  config: { leastRole: 'AUDITOR', errors: [] },
} as const

const READ = {
  schema: {
    summary: 'One agent',
    description:
      '`{id}` is `agent_id` or `agent_uuid`. `last_used_at`: when a key of the agent was last used, within a minute or two',
    tags: ['Agents'],
    params: IDENTIFIED,
    response: { 200: described(AGENT, 'The agent') },
  },
  config: { leastRole: 'AUDITOR', errors: ['agent.unknown'] },
} as const

const CREATE = {
  schema: {
    summary: 'Registers an agent',
    description:
      '`{agent_id, framework?, description?, owner_email?, intended_use?, spiffe_id?}` → 201 with `agent_uuid` and `api_key`, which is shown this once. With a SPIFFE id of the trust domain there is no key: the agent comes with its SVID',
    tags: ['Agents'],
    body: NEW_AGENT,
    response: { 201: described(CREATED, 'The agent and its key, shown this once') },
  },
  config: { leastRole: 'DEVELOPER', errors: ['agent.exists', 'ledger.unavailable'] },
} as const

const REMOVE = {
  schema: {
    summary: 'Deactivates an agent and revokes all its keys',
    description: 'Answered with 204',
    tags: ['Agents'],
    params: IDENTIFIED,
    response: { 204: described(v.null(), 'Deactivated') },
  },
  config: { leastRole: 'ADMIN', errors: ['agent.unknown', 'ledger.unavailable'] },
} as const

const ROTATE = {
  schema: {
    summary: "Revokes the agent's key, gives a new one, makes the agent active",
    description: 'Answered with `{agent_id, agent_uuid, api_key}`',
    tags: ['Agents'],
    params: IDENTIFIED,
    response: { 200: described(v.object(ISSUED), 'The new key, shown this once') },
  },
  config: { leastRole: 'ADMIN', errors: ['agent.unknown', 'ledger.unavailable'] },
} as const

const CREATE_DEVELOPER_KEY = {
  schema: {
    summary: 'Gives a developer a key for the agent',
    description:
      '`{developer_email, name?, expires_days?}` → 201 with a key `tp_dev_…` of their own, 90 days unless told',
    tags: ['Agents'],
    params: IDENTIFIED,
    body: DEVELOPER_KEY,
    response: {
      201: described(v.object({ ...ISSUED, developer_email: v.string() }), 'The key, shown this once'),
    },
  },
  config: { leastRole: 'ADMIN', errors: ['agent.unknown', 'ledger.unavailable'] },
} as const

/** What the routes need. `isPlainText`: whether detectors find nothing in a text. */
export type AgentRoutes = AgentService & Readonly<{ isPlainText: (text: string) => boolean }>

/** Adds the routes. */
export function agentRoutes(server: FastifyInstance, service: AgentRoutes): void {
  const { database } = service
  const routes = server.withTypeProvider<ValibotTypeProvider>()

  routes.get('/agents', LIST, async () => ({ data: await listAgents(database) }))

  routes.get('/agents/:id', READ, async ({ params }) => unwrap(await readAgent(database, params.id)))

  routes.post('/agents', CREATE, async (request, reply) => {
    // The names are in entries of the agent's calls, for ever.
    for (const name of ['agent_id', 'spiffe_id'] as const) {
      if (!service.isPlainText(request.body[name] ?? ''))
        throw new PublicError('request.invalid', { message: `${NOT_VALID} ${name}: ${NOT_PLAIN}` })
    }
    const { agent, key } = unwrap(await createAgent(service, request.body, request))
    return reply.code(201).send({ ...agent, api_key: key })
  })

  routes.delete('/agents/:id', REMOVE, async (request, reply) => {
    unwrap(await removeAgent(service, request.params.id, request))
    return reply.code(204).send()
  })

  routes.post('/agents/:id/rotate-key', ROTATE, async (request) => {
    const { agent, key } = unwrap(await rotateAgentKey(service, request.params.id, request))
    return { agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, api_key: key }
  })

  routes.post('/agents/:id/developer-keys', CREATE_DEVELOPER_KEY, async (request, reply) => {
    const { developer_email: email, name, expires_days: expiresDays } = request.body
    const developer = { email, name, expiresDays }
    const { agent, key } = unwrap(await createDeveloperKey(service, request.params.id, developer, request))
    return reply
      .code(201)
      .send({ agent_id: agent.agent_id, agent_uuid: agent.agent_uuid, developer_email: email, api_key: key })
  })
}
