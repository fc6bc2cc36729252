/** The agents of openai-agents give their user through the gateway what they give without. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { testFailures, testRetries } from './failure-rows.ts'
import { MASK } from './governed-rows.ts'
import { startPython } from './python-driver.ts'

const client = useClient(() => startPython('openai_agents_driver'))
const MODELS = ['text', 'parallel-tools', 'words-then-tools', 'reasoning', 'reasoning-and-tools']
const PICTURE = [
  { type: 'input_text', text: 'What do you see?' },
  { type: 'input_image', image_url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' },
]

client.testSame([
  ...MODELS.map((model) => ['run', model] as const),
  ...[...MODELS, 'interleaved-tools'].map((model) => ['stream', model] as const),
  ['stream', 'refusal', 'ModelRefusalError'],
  ['typed', 'structured'],
  ['handoff', 'handoff'],
  ['run', 'text', undefined, PICTURE],
])

testFailures(client, 'run', 'stream', CLIENTS['openai-agents'].classes)
testRetries(client, 'run')

test('the answer is masked', async () => {
  const headers = { 'X-Governance-Flags': 'pii=mask' }
  const { given } = await client.governed({ feature: 'run', model: 'personal', headers })
  assert.equal((given as { output: string }).output, `Write to ${MASK} about it.`)
})
