/** The governed routes: chat completions, completions, embeddings, and the list of models. */
import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify'
import * as v from 'valibot'
import { LARGE_CHARS } from '../core/call.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { GovernedPath } from '../core/governed-path.ts'
import { sha256 } from '../core/hash.ts'
import { ulid } from '../core/ulid.ts'
import { createBodyBudget } from '../governance/body-budget.ts'
import { govern } from '../governance/govern.ts'
import { parseFlagHeaders } from '../governance/governance-flag.ts'
import type { GovernedRequest } from '../governance/governed-request.ts'
import { listModels, readModel } from '../governance/model-route.ts'
import { authenticatedAgent, budgetHooks, onClose } from '../http/budget-hook.ts'
import { sendModels, sendResult } from '../http/call-reply.ts'
import { traceCalls } from '../http/call-trace.ts'
import { PublicError } from '../http/public-error.ts'
import { recordRefusal } from '../http/refusal-hook.ts'
import { clientRequestId } from '../http/request-id.ts'
import { describeOnly } from '../http/validation.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { isPlainText } from '../pipeline/recordable-text.ts'

const optionalHeader = (description: string) => v.optional(v.pipe(v.string(), v.description(description)))

const HEADERS = v.object({
  'x-request-id': optionalHeader(
    'Returned when it has 1 to 128 letters, digits or _ . : -; the id of the call when it is a UUID or a ULID',
  ),
  'x-tappass-session': optionalHeader('The session that the call belongs to; else a new one'),
  'x-session-id': optionalHeader('The same as X-TapPass-Session'),
  'session-id': optionalHeader('The same, as Codex names it'),
  'x-claude-code-session-id': optionalHeader('The same, as Claude Code names it'),
  'x-tappass-flags': optionalHeader(
    'Tightens governance for this call: mode=enforce|lockdown, pii=mask|block, secrets=block, opaque=block, injection=block, tainted_tools=block',
  ),
  'x-governance-flags': optionalHeader('The same as X-TapPass-Flags; both together are merged'),
})

const MESSAGE = v.looseObject({ role: v.string(), content: v.optional(v.unknown()) })

/** Bodies have many more members, which are judged like these and forwarded. */
const BODIES: Readonly<Record<GovernedPath, v.GenericSchema>> = {
  '/chat/completions': v.looseObject({
    model: v.string(),
    messages: v.array(MESSAGE),
    stream: v.optional(v.boolean()),
  }),
  '/completions': v.looseObject({ model: v.string(), prompt: v.unknown(), stream: v.optional(v.boolean()) }),
  '/embeddings': v.looseObject({ model: v.string(), input: v.unknown() }),
}

const TAPPASS = v.object({
  classification: v.string(),
  blocked: v.boolean(),
  session_id: v.string(),
  turn_index: v.number(),
  model: v.nullable(v.string()),
  redacted: v.array(v.string()),
  redacted_in: v.array(v.picklist(['request', 'response'])),
  taint: v.array(v.string()),
  task_id: v.string(),
  agent_uuid: v.string(),
  pipeline_uuid: v.string(),
  audit_url: v.string(),
})

const GOVERNED_RESPONSE = {
  description: "The model server's answer with an object tappass beside its members, or server-sent events",
  content: {
    'application/json': { schema: v.looseObject({ tappass: TAPPASS }) },
    'text/event-stream': { schema: v.string() },
  },
}

/** Any other status is the model server's. */
const FORWARDED_ERROR = {
  description: 'An error of the model server, after the same judgement as an answer',
  content: { 'application/json': { schema: v.looseObject({ error: v.looseObject({}) }) } },
}

const MODEL = v.object({ id: v.string(), object: v.literal('model'), created: v.number(), owned_by: v.string() })
const MODELS = v.object({ object: v.literal('list'), data: v.array(MODEL) })

const MODEL_ERRORS: readonly ErrorCode[] = [
  'rate.exceeded',
  'upstream.unreachable',
  'upstream.failed',
  'upstream.refused',
  'upstream.malformed',
  'governance.unavailable',
  'ledger.unavailable',
]

const GOVERNED_ERRORS: readonly ErrorCode[] = [
  'request.invalid',
  'flags.malformed',
  'flags.unknown',
  'flags.loosening',
  'session.malformed',
  'policy.blocked',
  'policy.blocked_response',
  'approval.required',
  'model.unknown',
  'request.too_complex',
  'rate.exceeded',
  'upstream.unreachable',
  'upstream.failed',
  'upstream.refused',
  'upstream.malformed',
  'governance.unavailable',
  'ledger.unavailable',
  'gateway.busy',
]

const SUMMARIES: Readonly<Record<GovernedPath, readonly [summary: string, description: string]>> = {
  '/chat/completions': ["OpenAI's chat completions", 'Streams with `stream: true`'],
  '/completions': ["OpenAI's completions", 'The same judgement, the same forwarding; streams too'],
  '/embeddings': ["OpenAI's embeddings", 'The same judgement, the same forwarding'],
}

/** Adds the routes. The budget is reserved after the key is checked, and before the body is read. */
export function governedRoutes(server: FastifyInstance, gateway: Gateway): void {
  const { tracer, clock } = gateway.ports
  const budget = budgetHooks(createBodyBudget(), gateway.limits.bodyBytesMax)
  const { preHandler } = budget
  const onRequest = [traceCalls(tracer, clock), budget.onRequest]
  for (const path of Object.keys(BODIES) as GovernedPath[]) {
    const errorHandler = recordRefusal(gateway, path)
    server.post(path, { ...statementOf(path), onRequest, preHandler, errorHandler }, async (request, reply) => {
      const disconnected = new AbortController()
      onClose(reply, () => {
        if (!reply.raw.writableFinished) disconnected.abort()
      })
      return sendResult(reply, await govern(gateway, requestOf(gateway, request, path, disconnected.signal)))
    })
  }
  modelRoutes(server, gateway)
}

function modelRoutes(server: FastifyInstance, gateway: Gateway): void {
  server.get(
    '/models',
    {
      schema: {
        summary: 'The models that can be asked',
        description: "The model server's list (names, times and owners only), and `echo`",
        tags: ['Governed calls'],
        response: { 200: v.pipe(MODELS, v.description("OpenAI's list of models")) },
      },
      config: { leastRole: 'AGENT', errors: MODEL_ERRORS },
    },
    async (request, reply) =>
      sendModels(reply, await listModels(gateway, { id: request.id, agent: authenticatedAgent(request) })),
  )
  server.get<{ Params: { '*': string } }>(
    '/models/*',
    {
      schema: {
        summary: 'One of the models that can be asked',
        description: '`{id}` may hold slashes',
        tags: ['Governed calls'],
        params: v.object({ '*': v.pipe(v.string(), v.description('id of the model')) }),
        response: { 200: v.pipe(MODEL, v.description("OpenAI's object of a model")) },
      },
      config: { leastRole: 'AGENT', errors: ['model_not_found', ...MODEL_ERRORS] },
    },
    async (request, reply) =>
      sendModels(
        reply,
        await readModel(gateway, { id: request.id, agent: authenticatedAgent(request) }, request.params['*']),
      ),
  )
}

/** What a governed route states. Its body and headers are judged by the pipeline, so their schemas describe only. */
function statementOf(path: GovernedPath): RouteShorthandOptions {
  const [summary, description] = SUMMARIES[path]
  return {
    schema: {
      summary,
      description,
      tags: ['Governed calls'],
      headers: HEADERS,
      body: BODIES[path],
      response: { 200: GOVERNED_RESPONSE, default: FORWARDED_ERROR },
    },
    validatorCompiler: describeOnly,
    config: { leastRole: 'AGENT', errors: GOVERNED_ERRORS },
  }
}

function requestOf(
  gateway: Gateway,
  request: FastifyRequest,
  path: GovernedPath,
  signal: AbortSignal,
): GovernedRequest {
  const { headers, body, bodyText: text, bodyBytes, id } = request
  const agent = authenticatedAgent(request)
  if (text.length <= LARGE_CHARS && !isObject(body)) throw new PublicError('request.malformed')
  const flagHeaders = [textOf(headers['x-tappass-flags']), textOf(headers['x-governance-flags'])]
  const parsed = parseFlagHeaders(flagHeaders, gateway.registry.flags)
  if (parsed.status === 'invalid') throw new PublicError(parsed.code, { message: parsed.message })
  const named = namedSession(gateway, headers)
  const session = named ?? `ses_${ulid(gateway.ports.clock, gateway.ports.random)}`
  const clientId = clientIdOf(request)
  return {
    id,
    clientId,
    path,
    agent,
    session,
    isNewSession: named === undefined,
    flags: parsed.flags,
    body: isObject(body) ? body : undefined,
    text,
    bodyBytes,
    signal,
    trace: request.trace,
  }
}

function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null && !Array.isArray(body)
}

/** A hash of the id that the client gave its request, when the request has another one. */
function clientIdOf({ id, headers }: FastifyRequest): string | undefined {
  const clientId = clientRequestId(headers['x-request-id'])
  return clientId === undefined || clientId === id ? undefined : sha256(clientId)
}

/** Where clients name a session; the first that is there counts. */
const SESSION_HEADERS = ['x-tappass-session', 'x-session-id', 'session-id', 'x-claude-code-session-id']

/** The session that the client names. A name with a finding in it is replaced by a hash of it. */
function namedSession(gateway: Gateway, headers: FastifyRequest['headers']): string | undefined {
  const texts = SESSION_HEADERS.map((name) => textOf(headers[name]))
  const provided = texts.find((text) => text !== undefined && text !== '')
  if (provided === undefined) return undefined
  if (!/^[\w.-]{1,128}$/.test(provided)) throw new PublicError('session.malformed')
  return isPlainText(gateway, provided) ? provided : `ses_${sha256(provided).slice(0, 32)}`
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}
