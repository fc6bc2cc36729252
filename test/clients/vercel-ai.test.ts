/** Vercel's `ai` gives its user through the gateway what it gives without: the same answers, and the same parts of streams in the same order. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { startHere } from './driver.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { PICTURE_DATA } from './part-rows.ts'
import { STREAM_ROWS } from './stream-rows.ts'
import { VERCEL_FEATURES } from './vercel-ai-features.ts'

const client = useClient(() => startHere(VERCEL_FEATURES))

/** What is not the same on purpose: own words for a stream that breaks off, and chunks without choices. */
const OWN = new Set(['broken', 'keep-alive'])

client.testSame([
  ...STREAM_ROWS.filter(({ model }) => !OWN.has(model)).map(({ model }) => ['parts', model] as const),
  ...['text', 'parallel-tools', 'words-then-tools', 'reasoning', 'reasoning-and-tools'].map(
    (model) => ['text', model] as const,
  ),
  ['object', 'structured'],
  ['objectStream', 'structured'],
  ['embeddings', 'vectors'],
  [
    'text',
    'text',
    undefined,
    [
      { type: 'text', text: 'What do you see?' },
      { type: 'image', image: PICTURE_DATA, mediaType: 'image/png' },
    ],
  ],
])

testFailures(client, 'text', undefined, CLIENTS.vercel.classes)
testRetries(client, 'text')

test('a model server that breaks off', async () => {
  const { raised } = await client.governed({ feature: 'text', model: 'cut' })
  assert.match(raised?.message ?? '', /could not be reached/)
})

test('the answer is masked', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'text', model: 'personal', headers })
  assert.equal((given as { text: string }).text, `Write to ${MASK} about it.`)
})

for (const [model, why] of [
  ['broken', /broke off/],
  ['secret', /Response blocked by policy: Secret detected: PRIVATE_KEY/],
  ['secret-in-a-call', /Response blocked by policy: Secret detected: PRIVATE_KEY/],
] as const) {
  test(`a stream that ends early is an error part with the reason, and raises: ${model}`, async () => {
    const { told, raised } = await client.governed({ feature: 'parts', model })
    const failed = (told as readonly { type: string; error?: string }[]).find(({ type }) => type === 'error')
    assert.match(failed?.error ?? '', why)
    assert.notEqual(raised, undefined)
  })
}
