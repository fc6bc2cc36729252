/** The real `openai` client, unchanged but for its base address and key, against a running gateway. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import OpenAI, { APIError, AuthenticationError, InternalServerError, PermissionDeniedError } from 'openai'
import { chunk, chunksOf, completion, events, json } from '../model-server.ts'
import { privateKey } from '../rules/fixture.ts'
import { type RunningGateway, startGateway } from '../running-gateway.ts'

let gateway: RunningGateway
let client: OpenAI
before(async () => {
  gateway = await startGateway()
  client = new OpenAI({ apiKey: gateway.agent.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
after(() => gateway.close())
beforeEach(() => {
  gateway.models.received.length = 0
})

const messages = [{ role: 'user', content: 'hello' }] as const
const ask = (more: object = {}) => ({ model: 'gpt-test', messages: [...messages], ...more })
const tools = [
  {
    type: 'function',
    function: { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
] as const

test('a completion', async () => {
  gateway.models.answer(json(completion('Good morning.')))
  const answer = await client.chat.completions.create(ask())
  assert.equal(answer.choices[0]?.message.content, 'Good morning.')
  assert.equal(answer.usage?.total_tokens, 7)
})

test('unknown fields and structured output go through as they are', async () => {
  gateway.models.answer(json(completion('{"city":"Ghent"}')))
  const format = {
    type: 'json_schema',
    json_schema: { name: 'place', schema: { type: 'object' }, strict: true },
  } as const
  await client.chat.completions.create(ask({ response_format: format, some_new_field: 3 }))
  const body = JSON.parse(gateway.models.received[0]?.body ?? '')
  assert.deepEqual(body.response_format, format)
  assert.equal(body.some_new_field, 3)
})

test('tool calls, asked and answered', async () => {
  const call = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Ghent"}' } }
  const choice = {
    index: 0,
    message: { role: 'assistant', content: null, tool_calls: [call] },
    finish_reason: 'tool_calls',
  }
  gateway.models.answer(json(completion('', { choices: [choice] })))
  const answer = await client.chat.completions.create(ask({ tools }))
  assert.deepEqual(answer.choices[0]?.message.tool_calls, [call])
})

test('a stream: the pieces add up, usage is passed on', async () => {
  const usage = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 }
  const pieces = Array.from({ length: 80 }, (_, index) => `word${index} `)
  gateway.models.answer(events(...chunksOf(...pieces), { ...chunk({}), choices: [], usage }))
  const stream = await client.chat.completions.create({
    ...ask(),
    stream: true,
    stream_options: { include_usage: true },
  })
  let text = ''
  let total = 0
  let reason: string | null | undefined
  for await (const part of stream) {
    text += part.choices[0]?.delta.content ?? ''
    reason = part.choices[0]?.finish_reason ?? reason
    total = part.usage?.total_tokens ?? total
  }
  assert.equal(text, pieces.join(''))
  assert.equal(reason, 'stop')
  assert.equal(total, 3)
})

test("the client's own accumulator puts streamed tool calls together", async () => {
  const first = { index: 0, id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '' } }
  const second = { index: 1, id: 'call_2', type: 'function', function: { name: 'get_weather', arguments: '' } }
  const more = (index: number, text: string) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })
  gateway.models.answer(
    events(
      chunk({ role: 'assistant', content: null }),
      chunk({ tool_calls: [first] }),
      more(0, '{"ci'),
      more(0, 'ty":"Ghent"}'),
      chunk({ tool_calls: [second] }),
      more(1, '{"city":"Br'),
      more(1, 'ugge"}'),
      chunk({}, 'tool_calls'),
    ),
  )
  const answer = await client.chat.completions.stream({ ...ask(), tools: [...tools] }).finalChatCompletion()
  const calls = answer.choices[0]?.message.tool_calls ?? []
  assert.deepEqual(
    calls.map((call) => [call.id, call.type === 'function' ? [call.function.name, call.function.arguments] : []]),
    [
      ['call_1', ['get_weather', '{"city":"Ghent"}']],
      ['call_2', ['get_weather', '{"city":"Brugge"}']],
    ],
  )
})

test('a personal number in a stream is taken out wherever it is cut', async () => {
  const card = ['4111', '1111', '1111', '1111'].join('')
  gateway.models.answer(events(...chunksOf('Your card is ', ...card, ' and it is valid.')))
  const stream = client.chat.completions.stream(ask())
  const answer = await stream.finalChatCompletion()
  assert.equal(answer.choices[0]?.message.content, 'Your card is [REDACTED:pii.credit_card] and it is valid.')
})

test('a secret in a stream ends it with an error, and no part of it has left', async () => {
  const secret = privateKey()
  const before = `The key follows. ${'It is long. '.repeat(60)}`
  const pieces = `${before}${secret} That was it.`.match(/.{1,7}/gs) ?? []
  gateway.models.answer(events(...chunksOf(...pieces)))
  let text = ''
  const failure = await (async () => {
    for await (const part of await client.chat.completions.create({ ...ask(), stream: true })) {
      text += part.choices[0]?.delta.content ?? ''
    }
    return undefined
  })().catch((error: unknown) => error)
  assert.ok(failure instanceof APIError, String(failure))
  assert.equal(failure.code, 'policy.blocked_response')
  assert.ok(before.startsWith(text), text)
})

test('errors arrive as the classes that clients know', async () => {
  const stranger = new OpenAI({ apiKey: `tp_${'A'.repeat(43)}`, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  await assert.rejects(stranger.chat.completions.create(ask()), AuthenticationError)
  const blocked = client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: privateKey() }] })
  await assert.rejects(blocked, PermissionDeniedError)
  gateway.models.answer((response) => void response.socket?.destroy())
  await assert.rejects(client.chat.completions.create(ask()), InternalServerError)
})

test('embeddings in base64, as this client asks for them, are left whole', async () => {
  const numbers = new Float32Array([0.25, -1, 3.5])
  const embedding = Buffer.from(numbers.buffer).toString('base64')
  gateway.models.answer(
    json({ object: 'list', model: 'e', data: [{ object: 'embedding', index: 0, embedding }], usage: {} }),
  )
  const answer = await client.embeddings.create({ model: 'e', input: 'hello' })
  assert.deepEqual(answer.data[0]?.embedding, [...numbers])
})

test('the list of models is the key check that it is used as', async () => {
  gateway.models.answer(
    json({ object: 'list', data: [{ id: 'gpt-test', object: 'model', created: 1, owned_by: 'them' }] }),
  )
  const ids = []
  for await (const model of client.models.list()) ids.push(model.id)
  assert.deepEqual(ids, ['gpt-test', 'echo'])
})
