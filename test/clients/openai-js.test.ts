/** The `openai` client for JavaScript gives its user through the gateway what it gives without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { startHere } from './driver.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { OPENAI_FEATURES } from './openai-js-features.ts'
import { PARTS } from './part-rows.ts'
import { STREAM_ROWS } from './stream-rows.ts'

const client = useClient(() => startHere(OPENAI_FEATURES))

/** What is not the same on purpose: own words for a stream that breaks off, and chunks without choices. */
const OWN = new Set(['broken', 'keep-alive'])
const STREAMS = STREAM_ROWS.map(({ model }) => model).filter((model) => !OWN.has(model))

/** What the client raises without the gateway too: its helpers want a role in each choice and an index in each call, one by one. */
const ALONE: Readonly<Record<string, string>> = { error: 'APIError' }
const RUNNER_ALONE: typeof ALONE = {
  ...ALONE,
  'tools-without-index': 'OpenAIError',
  'empty-reasons': 'OpenAIError',
  choices: 'OpenAIError',
}
const HELPER_ALONE: typeof ALONE = { ...RUNNER_ALONE, 'interleaved-tools': 'OpenAIError' }

client.testSame([
  ...STREAMS.map((model) => ['chunks', model, ALONE[model]] as const),
  ...STREAMS.map((model) => ['streamHelper', model, HELPER_ALONE[model]] as const),
  ...STREAMS.map((model) => ['streamFinal', `${model}:drip`, HELPER_ALONE[model]] as const),
  ...STREAMS.map((model) => ['runTools', model, RUNNER_ALONE[model]] as const),
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

test('signs of life and empty events are skipped, the text is whole', async () => {
  const { given } = await client.governed({ feature: 'streamFinal', model: 'keep-alive' })
  const { choices } = given as { choices: readonly { message: { content: string } }[] }
  assert.equal(choices[0]?.message.content, 'Good.')
})

test('the answer is masked, and says what was taken out', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'redacted', model: 'personal', headers })
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
