/** pydantic-ai's agents give their user through the gateway what they give without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { startPython } from './python-driver.ts'

const client = useClient(() => startPython('pydantic_ai_driver'))
const MODELS = ['text', 'parallel-tools', 'words-then-tools', 'reasoning', 'reasoning-and-tools']

client.testSame([
  ...MODELS.map((model) => ['run', model] as const),
  ...[...MODELS, 'interleaved-tools', 'filter-results-first'].map((model) => ['events', model] as const),
  ['texts', 'text'],
  ['native_output', 'structured'],
  ['partial_output', 'structured'],
  ['tool_output', 'structured-call'],
  ['parts', 'text'],
  ['embeddings', 'vectors'],
])

testFailures(client, 'run', 'events', CLIENTS['pydantic-ai'].classes)
testRetries(client, 'run')

test('the answer is masked', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'run', model: 'personal', headers })
  assert.equal((given as { output: string }).output, `Write to ${MASK} about it.`)
})
