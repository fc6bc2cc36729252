/** A value is judged behind its name; tokens of an answer as the text that they are; embeddings only where there are any. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { completion, json } from '../model-server.ts'
import { made } from '../rules/fixture.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
  gateway.models.answer(json(completion('Noted.')))
})

const PASSWORD = ['Tr0ub4dor', '3xyz!'].join('&')
const SSN = 219_099_999
const AWS = made(40, 'base64')
const CLOUD = ['AKIA', made(16, 'base32')].join('')

const toolResult = (content: object): object => ({
  model: 'm',
  messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: [content] }] }],
})

const REFUSED: readonly (readonly [what: string, body: object])[] = [
  ['a password', chat('hello', { metadata: { password: PASSWORD } })],
  ['a password in a pair', chat('hello', { metadata: { env: [{ name: 'DB_PASSWORD', value: PASSWORD }] } })],
  ['a key in the result of a tool', toolResult({ SecretAccessKey: AWS })],
  ['a password in a list', toolResult({ passwords: ['none', PASSWORD] })],
]
for (const [what, body] of REFUSED) {
  test(`refused as it would be as text: ${what}`, async () => {
    const response = await gateway.post('/v1/chat/completions', body)
    assert.equal(response.status, 403, await response.text())
  })
}

const TAKEN_OUT: readonly (readonly [what: string, metadata: object, sent: object])[] = [
  ['a number', { ssn: SSN }, { ssn: '[REDACTED:pii.ssn]' }],
  ['digits', { ssn: String(SSN) }, { ssn: '[REDACTED:pii.ssn]' }],
  ['a number in a list', { ssn: [1, SSN] }, { ssn: [1, '[REDACTED:pii.ssn]'] }],
  ['a number under another name', { order: SSN, count: 12_345_678 }, { order: SSN, count: 12_345_678 }],
  [
    'times and ids',
    { created_at: 1_730_000_000, id: 'a1', total: 2_125_551_234 },
    { created_at: 1_730_000_000, id: 'a1', total: 2_125_551_234 },
  ],
]
for (const [what, metadata, sent] of TAKEN_OUT) {
  test(`taken out, or left: ${what}`, async () => {
    await gateway.post('/v1/chat/completions', chat('hello', { metadata }))
    assert.deepEqual((JSON.parse(gateway.models.received[0]?.body ?? '{}') as { metadata: object }).metadata, sent)
  })
}

test('a secret that only the tokens of an answer hold does not leave', async () => {
  const tokens = (CLOUD.match(/.{1,4}/g) ?? []).map((token) => ({ token, logprob: -1, bytes: null, top_logprobs: [] }))
  const choice = {
    index: 0,
    message: { role: 'assistant', content: 'Yes.' },
    logprobs: { content: tokens },
    finish_reason: 'stop',
  }
  gateway.models.answer(json(completion('', { choices: [choice] })))
  assert.equal((await gateway.post('/v1/chat/completions', chat('hello'))).status, 403)
})

test('a member called embedding is text in a chat, and so is one that is no embedding', async () => {
  gateway.models.answer(json({ ...completion('x'), data: [{ embedding: CLOUD }] }))
  assert.equal((await gateway.post('/v1/chat/completions', chat('hello'))).status, 403)
  assert.equal((await gateway.post('/v1/embeddings', { model: 'm', input: 'hello' })).status, 403)
  const vector = Buffer.from(new Float32Array(512).fill(0.044)).toString('base64')
  gateway.models.answer(json({ object: 'list', data: [{ embedding: vector }], model: 'm' }))
  assert.equal((await gateway.post('/v1/embeddings', { model: 'm', input: 'hello' })).status, 200)
})

test('a key of 400 kB above 3,000 texts is judged, in a request and in an answer', async () => {
  const large = { ['k'.repeat(400_000)]: Array.from({ length: 3000 }, (_, index) => `a${index}`) }
  gateway.models.answer(json({ ...completion('Noted.'), large }))
  const response = await gateway.post('/v1/chat/completions', chat('hello', { metadata: large }))
  assert.equal(response.status, 200)
  assert.deepEqual(((await response.json()) as { large: object }).large, large)
})
