/** The OpenAPI document (spec.openapis.org, 3.1) of the routes, made by @fastify/swagger of what they state. */
import swagger, { type FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { toJsonSchema } from '@valibot/to-json-schema'
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify'
import * as v from 'valibot'
import { type ErrorCode, errorRow } from '../core/errors.ts'
import { errorsOf, type LeastRole } from './route-contract.ts'

type JsonSchema = ReturnType<typeof toJsonSchema>

/** A response of a route: a schema (of JSON), or one for each content type. */
type StatedResponse =
  | v.GenericSchema
  | Readonly<{ description: string; content: Record<string, { schema: v.GenericSchema }> }>

const ERROR = v.object({
  error: v.looseObject({
    message: v.string(),
    type: v.string(),
    param: v.nullable(v.string()),
    code: v.nullable(v.string()),
    request_id: v.string(),
  }),
})

const ERROR_REFERENCE = { $ref: '#/components/schemas/Error' }

/** Describes every route that is registered from here on; `server.swagger()` returns the document. */
export async function describeRoutes(server: FastifyInstance, version: string): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'TapPass gateway', version, description: 'Every path may be asked with /v1 in front.' },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: "A key that begins with tp_, or an agent's JWT-SVID" },
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
        },
        schemas: { Error: jsonSchemaOf(ERROR, 'input') },
      },
    },
    convertConstToEnum: false,
    // OpenAPI has no parameter that holds slashes.
    transform: ({ route, url }) => ({ schema: operationOf(route), url: url.replace('*', ':id') }),
  } as FastifyDynamicSwaggerOptions)
}

/** What a route states, in JSON Schema. Of a query the output is described: the numbers that its texts stand for. */
function operationOf(route: RouteOptions): FastifySchema {
  const { schema = {}, config } = route
  const { body, querystring, params, headers, response, ...rest } = schema
  const responses = Object.entries((response ?? {}) as Record<string, StatedResponse>)
  return {
    ...rest,
    ...(body === undefined ? {} : { body: jsonSchemaOf(body, 'input') }),
    ...(querystring === undefined ? {} : { querystring: jsonSchemaOf(querystring, 'output') }),
    ...(params === undefined ? {} : { params: withNamedRest(jsonSchemaOf(params, 'input')) }),
    ...(headers === undefined ? {} : { headers: jsonSchemaOf(headers, 'input') }),
    response: withErrors(
      Object.fromEntries(responses.map(([status, stated]) => [status, responseOf(stated)])),
      errorsOf(route),
    ),
    security: securityOf(config?.leastRole ?? 'PLATFORM'),
  }
}

/** What `*` stands for in a path is its id. */
function withNamedRest({ properties = {}, required = [], ...rest }: JsonSchema): JsonSchema {
  const nameOf = (name: string): string => (name === '*' ? 'id' : name)
  const named = Object.entries(properties).map(([name, schema]) => [nameOf(name), schema])
  return { ...rest, properties: Object.fromEntries(named), required: required.map(nameOf) }
}

/** Either scheme, with the least role: for schemes that are not OAuth the array holds role names (OpenAPI 3.1). */
function securityOf(leastRole: LeastRole): { [scheme: string]: string[] }[] {
  return leastRole === 'open' ? [] : [{ bearer: [leastRole] }, { apiKey: [leastRole] }]
}

function responseOf(stated: StatedResponse): object {
  if (!('content' in stated)) return jsonSchemaOf(stated, 'input')
  const content = Object.entries(stated.content).map(([type, { schema }]) => [
    type,
    { schema: jsonSchemaOf(schema, 'input') },
  ])
  return { description: stated.description, content: Object.fromEntries(content) }
}

/** Adds the errors by status; where a status has a response of its own, it is either of both. */
function withErrors(responses: Readonly<Record<string, object>>, codes: readonly ErrorCode[]): Record<string, object> {
  const all: Record<string, object> = { ...responses }
  for (const status of new Set(codes.map((code) => errorRow(code).status))) {
    const ofStatus = codes.filter((code) => errorRow(code).status === status)
    const schema = errorSchema(ofStatus)
    const description = ofStatus.map((code) => `${code}: ${errorRow(code).message}`).join('\n')
    const own = responses[status] as { description?: string } | undefined
    all[status] = own
      ? { description: `${own.description ?? ''}\n${description}`, ...jsonContent({ anyOf: [own, schema] }) }
      : { description, ...jsonContent(schema) }
  }
  return all
}

function errorSchema(codes: readonly ErrorCode[]): object {
  const error = { type: 'object', properties: { code: { enum: codes } } }
  return { allOf: [ERROR_REFERENCE, { type: 'object', properties: { error } }] }
}

const jsonContent = (schema: object): object => ({ content: { 'application/json': { schema } } })

function jsonSchemaOf(schema: unknown, typeMode: 'input' | 'output'): JsonSchema {
  return toJsonSchema(schema as v.GenericSchema, {
    target: 'draft-2020-12',
    typeMode,
    // JSON Schema has no word for "does not contain".
    ignoreActions: ['excludes'],
    overrideSchema: ({ valibotSchema, jsonSchema }) =>
      typeMode === 'output' && 'default' in jsonSchema
        ? { ...jsonSchema, default: v.parse(valibotSchema as v.GenericSchema, undefined) as number }
        : undefined,
  })
}
