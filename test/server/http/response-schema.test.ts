/** Answers are what their routes state: each member of an answer is in the schema, and each of the schema in the answer. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import * as v from 'valibot'
import { json } from '../model-server.ts'
import { ADMIN_KEY, chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { nameOf, routeFor, statedRoutes } from './stated-routes.ts'

const { routes } = await statedRoutes()
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway({
    TAPPASS_TOKEN_KEY: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  })
  gateway.models.answer(json({ object: 'list', data: [{ id: 'stand-in', created: 1 }] }))
})
after(() => gateway.close())

type Stated = v.GenericSchema & { content?: Record<string, { schema: v.GenericSchema }> }

const ROWS: readonly (readonly [method: string, path: string, status: number, body?: object])[] = [
  ['POST', '/chat/completions', 200, chat('hello', { model: 'echo' })],
  ['POST', '/completions', 200, { model: 'echo', prompt: 'hello' }],
  ['POST', '/embeddings', 200, { model: 'stand-in', input: 'hello' }],
  ['GET', '/models', 200],
  ['GET', '/models/stand-in', 200],
  ['POST', '/agents', 201, { agent_id: 'stated', owner_email: 'o@example.com' }],
  ['GET', '/agents', 200],
  ['GET', '/agents/tester', 200],
  ['POST', '/agents/stated/rotate-key', 200],
  ['POST', '/agents/stated/developer-keys', 201, { developer_email: 'd@example.com' }],
  ['DELETE', '/agents/stated', 204],
  ['GET', '/audit', 200],
  ['GET', '/audit/integrity', 200],
  ['GET', '/audit/checkpoints', 200],
  ['GET', '/audit/ENTRY/salt', 200],
  ['DELETE', '/audit/ENTRY/salt', 204],
  ['GET', '/health', 200],
  ['GET', '/health/live', 200],
  ['GET', '/health/ready', 200],
  ['GET', '/health/startup', 200],
  ['GET', '/health/detailed', 200],
  ['GET', '/metrics', 200],
  ['GET', '/.well-known/jwks.json', 200],
  ['GET', '/openapi.json', 200],
]

/** The id of an entry that has a salt. */
async function entryId(): Promise<string> {
  const [row] = await gateway.database.query<{ audit_id: string }>(
    'SELECT audit_id FROM audit_events JOIN audit_salts USING (chain, seq) ORDER BY chain, seq LIMIT 1',
  )
  return row?.audit_id ?? ''
}

for (const [method, row, status, body] of ROWS) {
  test(`${method} ${row}`, async () => {
    const path = row.replace('ENTRY', await entryId())
    const route = routeFor(routes, method, path)
    assert.ok(route)
    const isGoverned = route.config?.leastRole === 'AGENT'
    const response = await fetch(gateway.url + path, {
      method,
      headers: {
        authorization: `Bearer ${isGoverned ? gateway.agent.key : ADMIN_KEY}`,
        'content-type': 'application/json',
      },
      ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    })
    assert.equal(response.status, status)
    const stated = (route.schema?.response as Record<number, Stated> | undefined)?.[status]
    assert.ok(stated)
    const text = await response.text()
    const type = response.headers.get('content-type')?.split(';')[0] ?? ''
    const answer: unknown = type === 'application/json' ? JSON.parse(text) : text || null
    // A schema drops members that it does not name.
    assert.deepEqual(v.parse(stated.content?.[type]?.schema ?? stated, answer), answer)
  })
}

test('there is a row for every route', () => {
  const asked = ROWS.map(([method, path]) => routeFor(routes, method, path))
  assert.deepEqual(routes.filter((route) => !asked.includes(route)).map(nameOf), [])
})
