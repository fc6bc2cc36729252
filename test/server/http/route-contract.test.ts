/** Every route states its schema, its least role and its errors; what it states is what holds. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import Fastify, { type FastifyInstance, type RouteOptions } from 'fastify'
import * as v from 'valibot'
import type { Authenticator } from '../../../server/access/authenticator.ts'
import { errorRows } from '../../../server/core/errors.ts'
import { contractFlaws, errorsOf, holdToContract } from '../../../server/http/route-contract.ts'
import { GROUPS, placeOf } from '../../record/requests.ts'
import { nameOf, routeFor, statedRoutes } from './stated-routes.ts'

const { routes } = await statedRoutes()

describe('every route of the gateway states all', () => {
  for (const route of routes) test(nameOf(route), () => assert.deepEqual(contractFlaws(route), []))
})

/** A route that states all, and changes to it that take something away. */
const WHOLE = {
  method: 'POST',
  url: '/things/:id',
  schema: {
    summary: 'Does something',
    tags: ['Things'],
    params: v.object({ id: v.string() }),
    body: v.object({ size: v.pipe(v.number(), v.maxValue(9)) }),
    response: { 200: v.object({ size: v.number() }) },
  },
  config: { leastRole: 'DEVELOPER', errors: ['agent.unknown'] },
  handler: async () => ({ size: 1, more: 'than the schema says' }),
} as const satisfies RouteOptions

const { schema, config } = WHOLE
const PLANTED: readonly (readonly [lacks: string, change: object])[] = [
  ['a summary', { schema: { ...schema, summary: '' } }],
  ['one tag', { schema: { ...schema, tags: [] } }],
  ['a response schema', { schema: { ...schema, response: { 404: v.null() } } }],
  ['a schema of its parameters', { schema: { ...schema, params: undefined } }],
  ['a least role', { config: { ...config, leastRole: undefined } }],
  ['a least role', { config: { ...config, leastRole: 'KING' } }],
  ['errors of the table', { config: { ...config, errors: undefined } }],
  ['errors of the table', { config: { ...config, errors: ['agent.lost'] } }],
  ['a summary, one tag, a response schema, a schema of its parameters', { schema: undefined }],
  ['a least role, errors of the table', { config: undefined }],
]

/** Knows two keys; says which headers it was asked for. */
function standInAuthenticator(asked: string[]): Authenticator {
  const agent = { id: 'a', uuid: 'ag_a', org: 'o' }
  return {
    authenticateAgent: async ({ authorization }: { authorization?: string }) => {
      asked.push('AGENT')
      return authorization === 'agent' ? { status: 'authenticated', agent } : { status: 'key_invalid' }
    },
    authorize: async ({ authorization }: { authorization?: string }, role: string) => {
      asked.push(role)
      return authorization === 'person'
        ? { status: 'authenticated', principal: { kind: 'admin', role: 'PLATFORM' } }
        : { status: 'role_insufficient' }
    },
  } as unknown as Authenticator
}

function contracted(asked: string[] = []): FastifyInstance {
  const server = Fastify({ exposeHeadRoutes: false })
  holdToContract(server, standInAuthenticator(asked), async () => {})
  return server
}

describe('a route that lacks something is not registered', () => {
  for (const [lacks, change] of PLANTED) {
    test(lacks, () => {
      const planted = { ...WHOLE, ...change } as RouteOptions
      assert.throws(() => contracted().route(planted), {
        message: `POST /things/:id does not state ${lacks}`,
      })
    })
  }

  test('one that lacks nothing is', () => void contracted().route(WHOLE))
})

for (const [leastRole, key, asked] of [
  ['open', '', []],
  ['AGENT', 'agent', ['AGENT']],
  ['AUDITOR', 'person', ['AUDITOR']],
  ['ADMIN', 'person', ['ADMIN']],
] as const) {
  test(`the least role ${leastRole} is asked for before other hooks and the body`, async () => {
    const order: string[] = []
    const server = contracted(order)
    server.route({
      ...WHOLE,
      config: { ...config, leastRole },
      onRequest: async () => void order.push('hook'),
      preParsing: async () => void order.push('body'),
    })
    const send = (authorization: string) =>
      server.inject({ method: 'POST', url: '/things/1', headers: { authorization }, payload: { size: 1 } })
    assert.equal((await send(key)).statusCode, 200)
    assert.deepEqual(order, [...asked, 'hook', 'body'])
    order.length = 0
    if (leastRole === 'open') return
    assert.notEqual((await send('other')).statusCode, 200)
    assert.deepEqual(order, asked)
  })
}

test('a response is sent as the handler gives it, whatever its schema says', async () => {
  const server = contracted()
  server.route({ ...WHOLE, config: { ...config, leastRole: 'open' } })
  const text = '{"size" : 1}'
  server.route({ ...WHOLE, url: '/text/:id', config: { ...config, leastRole: 'open' }, handler: async () => text })
  const send = (url: string) => server.inject({ method: 'POST', url, payload: { size: 1 } })
  assert.equal((await send('/things/1')).body, '{"size":1,"more":"than the schema says"}')
  assert.equal((await send('/text/1')).body, text)
})

test('a request that its schema does not take is refused before the handler', async () => {
  const server = contracted()
  server.route({ ...WHOLE, config: { ...config, leastRole: 'open' }, handler: () => assert.fail('was called') })
  const { body } = await server.inject({ method: 'POST', url: '/things/1', payload: { size: 10 } })
  assert.match(body, /size: Invalid value: Expected <=9 but received 10/)
})

/** Codes of the table in a recorded answer: those of its body, or of an event of its stream; not those that the ledger tells of. */
const codesIn = (answer: unknown): readonly string[] =>
  [...JSON.stringify(answer ?? null, withoutEntries).matchAll(/\\?"code\\?":\s*\\?"([a-z]+\.[a-z_]+)/g)].map(
    ([, code = '']) => code,
  )

function withoutEntries(name: string, value: unknown): unknown {
  return name === 'details' ? undefined : value
}

test('every error on record is one that its route states', () => {
  const text = readFileSync(join(import.meta.dirname, '../../record/record.json'), 'utf8')
  const record = JSON.parse(text) as Readonly<Record<string, { body: unknown } | undefined>>
  const table = new Set<string>(errorRows().map(({ code }) => code))
  const [found, missing]: [Set<string>, string[]] = [new Set(), []]
  for (const { name, phases } of GROUPS) {
    for (const { what, method = 'POST', path = '/v1/chat/completions', raw } of phases.flat()) {
      const route = raw === undefined ? routeFor(routes, method, path) : undefined
      if (!route) continue
      for (const code of codesIn(record[placeOf(name, what)]?.body).filter((each) => table.has(each))) {
        found.add(code)
        if (!errorsOf(route).some((each) => each === code)) missing.push(`${nameOf(route)}: ${code} (${what})`)
      }
    }
  }
  assert.deepEqual(missing, [])
  assert.ok(found.size >= 20, [...found].join(' '))
})
