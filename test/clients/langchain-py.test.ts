/** LangChain's models and agents give their user through the gateway what they give without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { PARTS } from './part-rows.ts'
import { startPython } from './python-driver.ts'

const client = useClient(() => startPython('langchain_driver'))
const MODELS = [
  'text',
  'parallel-tools',
  'words-then-tools',
  'reasoning',
  'reasoning-and-tools',
  'usage-beside-an-empty-choice',
]

client.testSame([
  ...MODELS.map((model) => ['invoke', model] as const),
  ['invoke_async', 'text'],
  ...[...MODELS, 'interleaved-tools', 'filter-results-first'].map((model) => ['stream', model] as const),
  ['stream_async', 'text'],
  ['structured', 'structured'],
  ['structured_by_tool', 'trip-call'],
  ['batch', 'text'],
  ['stream_events', 'text'],
  ['agent', 'parallel-tools'],
  ['agent', 'words-then-tools'],
  ['agent_stream', 'parallel-tools'],
  ['agent_stream', 'reasoning-and-tools'],
  ['embeddings', 'vectors'],
  ['invoke', 'text', undefined, PARTS],
])

testFailures(client, 'invoke', 'stream', CLIENTS.langchain.classes)
testRetries(client, 'invoke')

test('the answer is masked', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'invoke', model: 'personal', headers })
  assert.equal((given as { content: string }).content, `Write to ${MASK} about it.`)
})

test('a refusal ends an agent in the middle of its work', async () => {
  for (const feature of ['agent', 'agent_stream']) {
    const { raised } = await client.governed({ feature, model: 'secret-in-a-call' })
    assert.match(raised?.message ?? '', /PRIVATE_KEY \(detect_secrets\)/, feature)
  }
})
