/** The route of the OpenAPI document. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'

const DOCUMENT = v.pipe(
  v.looseObject({ openapi: v.string(), paths: v.record(v.string(), v.unknown()) }),
  v.description('An OpenAPI document'),
)

/** Adds the route. The document is made when it is first asked for, which few processes ever are. */
export function openapiRoutes(server: FastifyInstance): void {
  let document: string | undefined
  server.get(
    '/openapi.json',
    {
      schema: { summary: 'All of this as an OpenAPI document', tags: ['Health'], response: { 200: DOCUMENT } },
      config: { leastRole: 'open', errors: [] },
    },
    async (_request, reply) => {
      document ??= JSON.stringify(server.swagger())
      return reply.type('application/json; charset=utf-8').send(document)
    },
  )
}
