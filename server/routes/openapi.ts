/** The OpenAPI document of every route (spec.openapis.org, 3.1). A test compares it with the routes that are there. */
import type { FastifyInstance } from 'fastify'
import { errorRows } from '../core/errors.ts'

type Key = 'agent' | 'AUDITOR' | 'DEVELOPER' | 'ADMIN' | 'none'
type Operation = Readonly<{
  summary: string
  key: Key
  answer: string
  body?: object
  parameters?: readonly object[]
  status?: string
}>

const text = { type: 'string' }
const object = (properties: object, required: readonly string[] = []): object => ({
  type: 'object',
  properties,
  required,
})
const inHeader = (name: string, description: string): object => ({ name, in: 'header', description, schema: text })
const inQuery = (name: string): object => ({ name, in: 'query', schema: text })
const ID = { name: 'id', in: 'path', required: true, description: 'agent_id or agent_uuid', schema: text }

const GOVERNED = [
  inHeader(
    'X-TapPass-Flags',
    'Tightens governance for this call: mode=enforce|lockdown, pii=mask|block, secrets=block',
  ),
  inHeader('X-TapPass-Session', 'The session that the call belongs to'),
  inHeader('X-Request-ID', 'Taken over as the id of the call'),
]
const model = { model: text }
const CHAT = object(
  { ...model, messages: { type: 'array', items: object({ role: text, content: {} }) }, stream: { type: 'boolean' } },
  ['model', 'messages'],
)
const AUDIT_FILTERS = 'limit event_type event_kind decision agent_id session_id request_id step_name'.split(' ')
const AGENT = object({ agent_id: text, framework: text, description: text, owner_email: text, intended_use: text }, [
  'agent_id',
])
const DEVELOPER = object({ developer_email: text, name: text, expires_days: { type: 'integer', default: 90 } }, [
  'developer_email',
])

/** Routes by path and method. `/v1` in front of each is the same. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /chat/completions': {
    summary: 'A governed chat completion; streams with stream: true',
    key: 'agent',
    body: CHAT,
    parameters: GOVERNED,
    answer: "OpenAI's chat completion with an object tappass, or server-sent events",
  },
  'POST /completions': {
    summary: 'A governed completion',
    key: 'agent',
    body: object({ ...model, prompt: {} }, ['model', 'prompt']),
    parameters: GOVERNED,
    answer: "OpenAI's completion",
  },
  'POST /embeddings': {
    summary: 'Governed embeddings',
    key: 'agent',
    body: object({ ...model, input: {} }, ['model', 'input']),
    parameters: GOVERNED,
    answer: "OpenAI's embeddings",
  },
  'GET /models': { summary: 'The models that can be asked', key: 'agent', answer: "OpenAI's list of models" },
  'POST /agents': {
    summary: 'Registers an agent',
    key: 'DEVELOPER',
    body: AGENT,
    status: '201',
    answer: 'The agent, and its key, shown once',
  },
  'GET /agents': { summary: 'The register of agents', key: 'AUDITOR', answer: 'data: agents' },
  'GET /agents/{id}': { summary: 'An agent', key: 'AUDITOR', parameters: [ID], answer: 'The agent' },
  'DELETE /agents/{id}': {
    summary: 'Deactivates an agent and revokes its keys',
    key: 'ADMIN',
    parameters: [ID],
    status: '204',
    answer: 'Nothing',
  },
  'POST /agents/{id}/rotate-key': {
    summary: "Exchanges the agent's key",
    key: 'ADMIN',
    parameters: [ID],
    answer: 'The new key, shown once',
  },
  'POST /agents/{id}/developer-keys': {
    summary: 'Gives a developer a key for the agent',
    key: 'ADMIN',
    parameters: [ID],
    body: DEVELOPER,
    status: '201',
    answer: 'The key, shown once',
  },
  'GET /audit': {
    summary: 'The ledger, newest first',
    key: 'AUDITOR',
    parameters: AUDIT_FILTERS.map(inQuery),
    answer: 'data: entries',
  },
  'GET /audit/integrity': {
    summary: 'Recomputes the ledger',
    key: 'AUDITOR',
    answer: 'status intact, or broken with the first entry that does not hold',
  },
  'GET /health': { summary: 'Whether it can serve, with version and storage', key: 'none', answer: 'healthy' },
  'GET /health/live': { summary: 'Whether the process runs', key: 'none', answer: 'ok' },
  'GET /health/ready': { summary: 'Whether it can serve, by part', key: 'none', answer: 'ok, with checks' },
  'GET /health/startup': { summary: 'Whether it has begun to serve', key: 'none', answer: 'ok' },
  'GET /health/detailed': { summary: 'All about the process that is no secret', key: 'AUDITOR', answer: 'Diagnostics' },
  'GET /metrics': { summary: 'Figures for Prometheus', key: 'AUDITOR', answer: 'Text' },
  'GET /.well-known/jwks.json': { summary: 'Public keys of our tokens', key: 'none', answer: 'A JSON Web Key Set' },
  'GET /openapi.json': { summary: 'This document', key: 'none', answer: 'An OpenAPI document' },
}

const ERROR = object({
  error: object(
    {
      message: text,
      type: text,
      param: { type: ['string', 'null'] },
      code: { type: 'string', enum: errorRows().map(({ code }) => code) },
      request_id: text,
    },
    ['message', 'type', 'code', 'request_id'],
  ),
})

/** Returns the document for a release. */
export function openapiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [route, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = route.split(' ')
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'TapPass gateway', version, description: 'Every path may be asked with /v1 in front.' },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A key that begins with tp_' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
      schemas: { Error: ERROR },
      responses: {
        Error: { description: 'See the table of errors', content: jsonOf({ $ref: '#/components/schemas/Error' }) },
      },
    },
  }
}

const jsonOf = (schema: object): object => ({ 'application/json': { schema } })

function describe({ summary, key, answer, body, parameters = [], status = '200' }: Operation): object {
  const role = key === 'none' || key === 'agent' ? {} : { description: `Needs the role ${key} or one above it.` }
  return {
    summary,
    ...role,
    security: key === 'none' ? [] : [{ bearer: [] }, { apiKey: [] }],
    parameters,
    ...(body ? { requestBody: { required: true, content: jsonOf(body) } } : {}),
    responses: { [status]: { description: answer }, default: { $ref: '#/components/responses/Error' } },
  }
}

/** Adds the route. */
export function openapiRoutes(server: FastifyInstance, version: string): void {
  const document = JSON.stringify(openapiDocument(version))
  server.get('/openapi.json', async (_request, reply) => reply.type('application/json; charset=utf-8').send(document))
}
