/** `openai` for Python gives its user through the gateway what it gives without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBothWays } from './both-ways.ts'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { ADDRESS, MASK } from './governed-rows.ts'
import { PARTS } from './part-rows.ts'
import { startPython } from './python-driver.ts'
import { STREAM_ROWS } from './stream-rows.ts'

const client = useClient(() => startPython('openai_driver'))

/** Rows that are not the same on purpose: own words for a stream that breaks off, chunks without choices. */
const OWN = new Set(['broken', 'keep-alive'])
const STREAMS = STREAM_ROWS.map(({ model }) => model).filter((model) => !OWN.has(model))

/** What the client raises without the gateway too: it can't put together calls that take turns, or have no index. */
const ALONE: Readonly<Record<string, string>> = {
  error: 'APIError',
  'interleaved-tools': 'JSONDecodeError',
  'tools-without-index': 'TypeError',
}

client.testSame([
  ...['text', 'parallel-tools', 'reasoning', 'choices', 'refusal'].map((model) => ['chat', model] as const),
  ['chat_async', 'text'],
  ...STREAMS.map((model) => ['chunks', model, model === 'error' ? ALONE[model] : undefined] as const),
  ['chunks_async', 'text'],
  ...STREAMS.map((model) => ['stream_helper', model, ALONE[model]] as const),
  ...STREAMS.map((model) => ['stream_final', `${model}:drip`, ALONE[model]] as const),
  ['stream_helper_async', 'parallel-tools'],
  ['parse', 'structured'],
  ['parse_stream', 'structured'],
  ['tool_loop', 'parallel-tools'],
  ['completions', 'text'],
  ['completions_stream', 'text'],
  ['embeddings', 'vectors'],
  ['chat', 'text', undefined, PARTS],
  ['chunks', 'text', undefined, PARTS],
])

testFailures(client, 'chat', 'chunks', CLIENTS['openai-py'].classes)
testRetries(client, 'chat')

const headers = { 'X-Governance-Flags': 'pii=mask' }
for (const feature of ['redacted', 'redacted_stream']) {
  test(`${feature}: the text is masked, and the answer says what was taken out`, async () => {
    const { given, raised } = await client.governed({ feature, model: 'personal', headers })
    const { text, body } = given as { text: string; body: readonly string[] }
    assert.equal(raised, undefined)
    assert.equal(text, `Write to ${MASK} about it.`)
    assert.deepEqual(body.flat(), ['pii.email'])
  })
}

test('what the client itself sends is masked on its way', async () => {
  const { sent, raised } = await client.governed({
    feature: 'chat',
    model: 'text',
    headers,
    content: `Mail goes to ${ADDRESS} today.`,
  })
  assert.equal(raised, undefined, raised?.message ?? '')
  assert.match(sent[0] ?? '', /goes to \[REDACTED:pii\.email\] today/)
})

test('models are listed and looked up, ids with slashes too', async () => {
  const listed = await client.governed({ feature: 'models', model: '' })
  assert.deepEqual((listed.given as string[]).toSorted(), ['echo', 'owner/family/model', 'text'])
  const id = 'owner/family/model'
  const [direct, governed] = [
    await client.direct({ feature: 'model', model: id }),
    await client.governed({ feature: 'model', model: id }),
  ]
  assert.equal(governed.raised, undefined)
  assert.deepEqual(governed.given, direct.given)
  const unknown = await client.governed({ feature: 'model', model: 'nothing' })
  assert.deepEqual([unknown.raised?.classes[0], unknown.raised?.code], ['NotFoundError', 'model_not_found'])
})

test('a route that is not there, and a method that a route does not have', async () => {
  const baseURL = `${client.ways().governed.baseURL}/nothing`
  const missing = await client.governed({ feature: 'chat', model: 'text', retries: 2, baseURL })
  assert.equal(missing.raised?.classes[0], 'NotFoundError')
  assert.match(missing.raised?.message ?? '', /is not a route of this gateway/)
  const method = await client.governed({ feature: 'get', model: 'text', retries: 2 })
  assert.equal(method.raised?.status, 405)
  assert.deepEqual([missing.requests, method.requests], [1, 1])
})

test('the limit of the gateway: the client waits as long as it is told and comes again', async () => {
  const limited = await startBothWays({ TAPPASS_RATE_CALLS: '1', TAPPASS_RATE_WINDOW_SECONDS: '1' })
  try {
    const asked = { feature: 'chat', model: 'text', ...limited.governed }
    const outcomes = [await client.governed(asked), await client.governed(asked)]
    assert.equal(outcomes[1]?.raised?.classes[0], 'RateLimitError')
    assert.match(outcomes[1]?.raised?.message ?? '', /try again in 1 s/)
    assert.equal((await client.governed({ ...asked, retries: 2 })).raised, undefined)
  } finally {
    await limited.close()
  }
})
