/** LlamaIndex's models and agents give their user through the gateway what they give without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { startPython } from './python-driver.ts'

const client = useClient(() => startPython('llama_index_driver', 'llama-index'))
const MODELS = ['text', 'parallel-tools', 'words-then-tools', 'reasoning', 'reasoning-and-tools']

client.testSame([
  ...MODELS.map((model) => ['chat', model] as const),
  ['chat_async', 'text'],
  ['complete', 'text'],
  ...['text', 'reasoning', 'usage-beside-an-empty-choice', 'filter-results-first'].map(
    (model) => ['stream', model] as const,
  ),
  ...['parallel-tools', 'words-then-tools', 'reasoning-and-tools'].map((model) => ['stream_tools', model] as const),
  ...['text', 'parallel-tools', 'words-then-tools'].map((model) => ['agent', model] as const),
  ['react', 'react'],
  ['index', 'text'],
  ['structured', 'structured'],
  ['parts', 'text'],
  ['embeddings', 'vectors'],
])

/** LlamaIndex makes a call twice that failed on the server's side, around the retries of the openai client in it. */
const ROUNDS = 2
testFailures(client, 'chat', 'stream', CLIENTS['llama-index'].classes, ROUNDS)
testRetries(client, 'chat')

test('the answer is masked', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'complete', model: 'personal', headers })
  assert.equal(given, `Write to ${MASK} about it.`)
})

test('a refusal ends an agent in the middle of its work', async () => {
  const { raised } = await client.governed({ feature: 'agent', model: 'secret-in-a-call' })
  assert.match(raised?.message ?? '', /PRIVATE_KEY \(detect_secrets\)/)
})
