/** What the `openai` client for JavaScript gives its user of whole answers, and what it raises: the same through the gateway as without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import type { ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { type Asked, type Feature, startHere } from './driver.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { PARTS } from './part-rows.ts'

const clientOf = ({
  baseURL,
  apiKey,
  retries = 0,
  headers = {},
}: Asked & { baseURL: string; apiKey: string }): OpenAI =>
  new OpenAI({ baseURL, apiKey, maxRetries: retries, defaultHeaders: headers })
const bodyOf = ({ model, content = 'hello' }: Asked): ChatCompletionCreateParamsNonStreaming =>
  ({ model, messages: [{ role: 'user', content }] }) as ChatCompletionCreateParamsNonStreaming

const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'integer' } } },
  required: ['city', 'days'],
  additionalProperties: false,
}

const features = {
  chat: (asked) => clientOf(asked).chat.completions.create(bodyOf(asked)),
  chunks: async (asked, tell) => {
    for await (const chunk of await clientOf(asked).chat.completions.create({ ...bodyOf(asked), stream: true }))
      tell(chunk)
  },
  parse: async (asked) => {
    const response_format = { type: 'json_schema', json_schema: { name: 'trip', strict: true, schema } } as const
    const parsed = await clientOf(asked).chat.completions.parse({ ...bodyOf(asked), response_format })
    return parsed.choices[0]?.message
  },
  completions: ({ model, ...asked }) => clientOf({ model, ...asked }).completions.create({ model, prompt: 'hello' }),
  completionsStream: async (asked, tell) => {
    const stream = await clientOf(asked).completions.create({ model: asked.model, prompt: 'hello', stream: true })
    for await (const chunk of stream) tell(chunk)
  },
  embeddings: (asked) => clientOf(asked).embeddings.create({ model: asked.model, input: ['one', 'three'] }),
  embeddingsAsNumbers: (asked) =>
    clientOf(asked).embeddings.create({ model: asked.model, input: 'two', encoding_format: 'float' }),
  models: async (asked) => (await clientOf(asked).models.list()).data.map(({ id }) => id),
  model: (asked) => clientOf(asked).models.retrieve(asked.model),
  get: (asked) => clientOf(asked).get('/chat/completions'),
  raw: async (asked) => {
    const { data, response } = await clientOf(asked).chat.completions.create(bodyOf(asked)).withResponse()
    return { text: data.choices[0]?.message.content, header: response.headers.get('x-tappass-redacted'), data }
  },
} satisfies Readonly<Record<string, Feature>>

const client = useClient(() => startHere(features))

client.testSame([
  ...['text', 'parallel-tools', 'reasoning', 'choices', 'refusal'].map((model) => ['chat', model] as const),
  ['chat', 'text', undefined, PARTS],
  ['chunks', 'text', undefined, PARTS],
  ['parse', 'structured'],
  ['completions', 'text'],
  ['completionsStream', 'text'],
  ['embeddings', 'vectors'],
  ['embeddingsAsNumbers', 'vectors'],
])

testFailures(client, 'chat', 'chunks', CLIENTS['openai-js'].classes)
testRetries(client, 'chat')

test('the answer is masked, and says what was taken out', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'raw', model: 'personal', headers })
  const { text, header, data } = given as { text: string; header: string; data: { tappass: { redacted: unknown } } }
  assert.deepEqual([text, header, data.tappass.redacted], [`Write to ${MASK} about it.`, 'pii.email', ['pii.email']])
})

test('models are listed and looked up, ids with slashes too', async () => {
  const model = 'owner/family/model'
  const listed = await client.governed({ feature: 'models', model: '' })
  assert.deepEqual((listed.given as string[]).toSorted(), ['echo', model, 'text'])
  const [direct, governed] = [
    await client.direct({ feature: 'model', model }),
    await client.governed({ feature: 'model', model }),
  ]
  assert.equal((governed.given as { id: string }).id, model)
  assert.deepEqual(governed.given, direct.given)
})

test('a route that is not there, and a method that a route does not have', async () => {
  const baseURL = `${client.ways().governed.baseURL}/nothing`
  const missing = await client.governed({ feature: 'chat', model: 'text', retries: 2, baseURL })
  assert.match(missing.raised?.message ?? '', /404 .* is not a route of this gateway/)
  const method = await client.governed({ feature: 'get', model: 'text', retries: 2 })
  assert.deepEqual([missing.raised?.classes[0], method.raised?.status], ['NotFoundError', 405])
  assert.deepEqual([missing.requests, method.requests], [1, 1])
})
