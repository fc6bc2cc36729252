/** The SDK that TapPass released before, 0.12.62, against this gateway: what works of it today. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { privateKey } from '../server/rules/fixture.ts'
import { ADMIN_KEY } from '../server/running-gateway.ts'
import { CLIENTS } from './client-list.ts'
import { useClient } from './client-test.ts'
import { testFailures } from './failure-rows.ts'
import { startPython } from './python-driver.ts'

const client = useClient(() => startPython('tappass_driver'))

type Shown = Readonly<{
  content: string
  calls: readonly unknown[]
  usage: object
  pipeline: object
  ids: Readonly<Record<string, string>>
}>

for (const feature of ['chat', 'chat_async']) {
  test(`${feature}: text, usage, classification and every id`, async () => {
    const { given, raised } = await client.governed({ feature, model: 'text' })
    assert.equal(raised, undefined, raised?.where ?? '')
    const { content, usage, pipeline, ids } = given as Shown
    assert.equal(content, 'Good morning. How are you today?')
    assert.deepEqual(usage, { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 })
    assert.deepEqual(pipeline, { blocked: false, classification: 'PUBLIC' })
    assert.match(Object.values(ids).join(' '), /^ses_\w+ req_\w+ ag_[\w-]+ \w{32} \S*\/audit\?request_id=req_\w+$/)
  })
}

test('tool calls', async () => {
  const { given } = await client.governed({ feature: 'chat', model: 'parallel-tools' })
  assert.deepEqual((given as Shown).calls, [
    ['call_0', 'get_weather', '{"city":"Paris"}'],
    ['call_1', 'get_time', '{"zone":"UTC"}'],
  ])
})

test('redaction is told in the raw answer', async () => {
  const card = ['4111', '1111', '1111', '1111'].join('')
  const { given } = await client.governed({ feature: 'chat', model: 'text', content: `My card is ${card}.` })
  assert.deepEqual((given as { redacted: readonly string[] }).redacted, ['pii.credit_card'])
})

for (const feature of ['stream', 'stream_async']) {
  test(`${feature}: the same chunks as without the gateway, and an end`, async () => {
    const { told, raised } = await client.governed({ feature, model: 'text' })
    assert.equal(raised, undefined, raised?.where ?? '')
    const chunks = told as readonly (readonly [text: string, finished: boolean])[]
    assert.equal(chunks.map(([text]) => text).join(''), 'Good morning. How are you today?')
    assert.ok(chunks.some(([, finished]) => finished))
  })
}

test('a refusal is its PolicyBlockError, with the members that it reads', async () => {
  const { given } = await client.governed({ feature: 'refusal', model: 'text', content: privateKey() })
  const { message, session_id, task_id, agent_uuid, audit_url, ...rest } = given as Record<string, string>
  assert.match(message ?? '', /Secret detected: PRIVATE_KEY \(detect_secrets\)/)
  assert.deepEqual(rest, {
    blocked_by: 'detect_secrets',
    reason: 'Secret detected: PRIVATE_KEY',
    classification: 'RESTRICTED',
    details: {},
  })
  assert.equal(agent_uuid, client.ways().gateway.agent.uuid)
  assert.match(`${session_id} ${task_id} ${audit_url}`, /^ses_\w+ req_\w+ \S*\/audit\?request_id=req_\w+$/)
})

testFailures(client, 'chat', 'stream_async', CLIENTS.tappass.classes)

for (const model of ['secret', 'secret-in-a-call', 'broken']) {
  test(`a stream that ends early raises, although this SDK reads no error events: ${model}`, async () => {
    const { told, raised } = await client.governed({ feature: 'stream_async', model })
    assert.equal(raised?.classes[0], 'RemoteProtocolError')
    assert.ok(told.every((chunk) => (chunk as readonly unknown[])[1] === false))
  })
}

test('an error of the model server is raised, and not tried again', async () => {
  const { raised, requests } = await client.governed({ feature: 'chat', model: 'fails-503' })
  assert.deepEqual([raised?.classes[0], requests], ['HTTPStatusError', 1])
})

test('health and its version gate', async () => {
  const { given } = await client.governed({ feature: 'health', model: '', apiKey: ADMIN_KEY })
  const { status, version } = given as { status: string; version: string }
  assert.equal(status, 'healthy')
  assert.match(version, /^\d+\.\d+\.\d+/)
})

test('an agent is looked up', async () => {
  const { agent } = client.ways().gateway
  const { given, raised } = await client.governed({ feature: 'agent', model: '', apiKey: ADMIN_KEY, uuid: agent.uuid })
  assert.equal(raised, undefined, raised?.where ?? '')
  assert.equal((given as { agent_id: string }).agent_id, agent.id)
})

test('a session is opened in the client alone', async () => {
  const { given, requests } = await client.governed({ feature: 'session', model: '' })
  assert.deepEqual([given, requests], [true, 0])
})
