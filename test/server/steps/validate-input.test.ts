/** validate_input: what each API sends passes, each wrong shape is named with its place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '../../../server/core/call.ts'
import type { StepContext } from '../../../server/core/step.ts'
import { step } from '../../../server/steps/validate-input.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const tools = { limits: { callsMax: 1, windowMs: 1, bodyBytesMax: 5_000_000 } } as StepContext
const found = async (body: unknown, more: Partial<Call> = {}) =>
  (await step.inspect(callOf(body, { segments: [], ...more }), tools)).map(({ kind, pointer }) => [kind, pointer])

const user = { role: 'user', content: 'hi' }
const FINE: readonly unknown[] = [
  { model: 'gpt-4o', messages: [user] },
  {
    model: 'org/model:1',
    messages: [{ role: 'developer', content: 'x' }, user],
    temperature: 2,
    top_p: 0,
    n: 1,
    stream: true,
  },
  {
    model: 'm',
    messages: [user, { role: 'assistant', content: null, tool_calls: [{ id: 'c' }] }, { role: 'tool', content: '1' }],
  },
  {
    model: 'm',
    messages: [{ role: 'user', content: [{ type: 'text', text: 'x' }] }],
    tools: [{ type: 'function' }],
    extra: { a: 1 },
  },
  { model: 'm', system: 's', max_tokens: 1, messages: [user], temperature: null },
  { model: 'm', prompt: 'x' },
  { model: 'm', input: ['a', 'b'] },
  { model: 'm', prompt: '' },
  { model: 'm', prompt: 'x', max_tokens: 0, echo: true, logprobs: 1 },
  { model: 'm', messages: [user], max_tokens: -1 },
  { model: 'm', messages: [user], max_tokens: -2, max_completion_tokens: 0 },
  { model: 'm', messages: [user, { role: 'assistant', content: '' }] },
  { model: 'm', messages: [user, { role: 'assistant', tool_calls: [{ id: 'c' }] }, { role: 'tool', content: '' }] },
  { model: 'm', messages: [user, { role: 'function', name: 'f', content: null }] },
  ...['constructor', 'prototype', 'toString', 'hasOwnProperty'].flatMap((name) => [
    { model: 'm', messages: [user], metadata: { [name]: 'x' } },
    {
      model: 'm',
      messages: [user],
      tools: [
        { type: 'function', function: { parameters: { properties: { [name]: { type: 'object', properties: {} } } } } },
      ],
    },
    {
      model: 'm',
      messages: [user],
      response_format: { json_schema: { schema: { properties: { constructor: { properties: { prototype: {} } } } } } },
    },
  ]),
  ...['claude-opus-4-8[1m]', 'Meta Llama 3', 'llama (8b)', 'C:\\models\\x.gguf', '模型', 'é'.repeat(256)].map(
    (model) => ({
      model,
      messages: [user],
    }),
  ),
]
for (const body of FINE)
  test(`fine: ${JSON.stringify(body).slice(0, 70)}`, async () => assert.deepEqual(await found(body), []))

const WRONG: readonly (readonly [body: unknown, kind: string, pointer: string])[] = [
  [[], 'not_an_object', ''],
  ['x', 'not_an_object', ''],
  [{ messages: [user] }, 'model', '/model'],
  [{ model: 'a b\n', messages: [user] }, 'model', '/model'],
  [{ model: '', messages: [user] }, 'model', '/model'],
  [{ model: '  ', messages: [user] }, 'model', '/model'],
  [{ model: 'a\u2028b', messages: [user] }, 'model', '/model'],
  [{ model: 'a\ud800', messages: [user] }, 'model', '/model'],
  [{ model: 'x'.repeat(257), messages: [user] }, 'model', '/model'],
  [{ model: 7, messages: [user] }, 'model', '/model'],
  [{ model: 'm' }, 'no_content', ''],
  [{ model: 'm', input: [] }, 'no_content', ''],
  [{ model: 'm', prompt: [9906, 1917] }, 'tokens', '/prompt'],
  [{ model: 'm', prompt: 'x', input: ['x', [[9906]]] }, 'tokens', '/input'],
  [{ model: 'm', messages: [user], prompt_token_ids: [9906] }, 'tokens', '/prompt_token_ids'],
  [{ model: 'm', messages: [] }, 'messages', '/messages'],
  [{ model: 'm', messages: 'x' }, 'messages', '/messages'],
  [{ model: 'm', messages: ['x'] }, 'message', '/messages/0'],
  [{ model: 'm', messages: [user, { role: 'root', content: 'x' }] }, 'role', '/messages/1/role'],
  [{ model: 'm', messages: [{ role: 'user' }] }, 'content', '/messages/0/content'],
  [{ model: 'm', messages: [{ role: 'user', content: ['x'] }] }, 'content', '/messages/0/content'],
  [{ model: 'm', messages: [user], temperature: 2.1 }, 'out_of_range', '/temperature'],
  [{ model: 'm', messages: [user], max_tokens: 1.5 }, 'out_of_range', '/max_tokens'],
  [{ model: 'm', messages: [user], max_tokens: '16' }, 'out_of_range', '/max_tokens'],
  ...['system', 'developer', 'user', 'tool'].map(
    (role) => [{ model: 'm', messages: [{ role, content: null }] }, 'content', '/messages/0/content'] as const,
  ),
  [{ model: 'm', messages: [user, { role: 'tool' }] }, 'content', '/messages/1/content'],
  [{ model: 'm', messages: [user, { role: 'function' }] }, 'content', '/messages/1/content'],
  [
    { model: 'm', prompt: 'x', metadata: { constructor: { prototype: { isAdmin: true } } } },
    'forbidden_key',
    '/metadata/constructor/prototype',
  ],
  [{ model: 'm', messages: [user], n: '1' }, 'out_of_range', '/n'],
  [{ model: 'm', messages: [user], stream: 'yes' }, 'stream', '/stream'],
  [{ model: 'm', messages: [user], tools: {} }, 'tools', '/tools'],
  [
    JSON.parse('{"model":"m","prompt":"x","metadata":{"a/b":{"__proto__":{"x":1}}}}'),
    'forbidden_key',
    '/metadata/a~1b/__proto__',
  ],
]
for (const [body, kind, pointer] of WRONG) {
  test(`${kind}: ${JSON.stringify(body).slice(0, 60)}`, async () =>
    assert.deepEqual(await found(body), [[`request.${kind}`, pointer]]))
}

test('a body over the limit', async () => {
  assert.deepEqual(await found({ model: 'm', prompt: 'x' }, { bodyBytes: 5_000_001 }), [['request.too_large', '']])
})

test('of a million wrong messages only the first are named', async () => {
  assert.equal((await found({ model: 'm', messages: new Array(1_000_000).fill(0) })).length, 100)
})

test('each finding says what its place has to hold', async () => {
  for (const [body] of WRONG) {
    for (const { expected } of await step.inspect(callOf(body, { segments: [] }), tools))
      assert.match(expected ?? '', /^(?:has|holds) /)
  }
})

test('and of thirty thousand keys that attack parsers', async () => {
  const attack = Array(30_000).fill({ constructor: { prototype: 1 } })
  assert.equal((await found({ model: 'm', messages: [user], metadata: attack })).length, 100)
})
