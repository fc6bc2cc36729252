/** Which model server a model goes to, and that the list shows each model where it goes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Upstream } from '../../../server/core/ports.ts'
import { listModels, upstreamOf } from '../../../server/governance/model-route.ts'
import { answerOf, createBench } from './gateway-fixture.ts'

const serverOf = (name: string, ...ids: readonly string[]): Upstream => ({
  name,
  forward: async () => answerOf([JSON.stringify({ data: ids.map((id) => ({ id, owned_by: name })) })]),
  close: async () => {},
})
const claude = serverOf('claude', 'claude-one', 'gpt-of-claude')
const other = serverOf('other', 'gpt', 'claude-of-other', 'not a\nname')
const routes = [
  { models: /^claude-/, upstream: claude },
  { models: /^/, upstream: other },
]

const ROWS: readonly (readonly [model: string, upstream: Upstream])[] = [
  ['claude-one', claude],
  ['claude', other],
  ['gpt', other],
  ['', other],
]
for (const [model, upstream] of ROWS) {
  test(`"${model}" goes to ${upstream.name}`, () => assert.equal(upstreamOf(routes, model), upstream))
}

test('a model without a route goes nowhere', () => assert.equal(upstreamOf([], 'gpt'), undefined))

const REQUEST = { id: 'req_1', agent: { id: 'bot', uuid: 'ag_12345678', org: 'o' } }

async function listed(table: typeof routes): Promise<unknown> {
  const result = await listModels(createBench(() => answerOf([]), { routes: table }).gateway, REQUEST)
  if (result.status === 'failed') return result.code
  return (result.body as { data: readonly { id: string }[] }).data.map(({ id }) => id)
}

test('the list holds what a request would reach, each model once, those of the last route first', async () => {
  assert.deepEqual(await listed(routes), ['gpt', 'claude-one'])
})

test('without routes the list is empty; a model server that is away, or refuses the gateway, leaves none', async () => {
  assert.deepEqual(await listed([]), [])
  const away = { ...other, forward: () => Promise.reject(new Error('gone')) }
  const refuses = { ...other, forward: async () => answerOf(['{}'], 'application/json', 401) }
  for (const upstream of [away, refuses]) {
    assert.match(String(await listed([...routes, { models: /^/, upstream }])), /^upstream\./)
  }
})
