/** What nobody can read in an answer: the ledger says so, with the flag it does not leave, and what models make passes. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { chunk, completion, events, json } from '../model-server.ts'
import { chat, type RunningGateway, startGateway } from '../running-gateway.ts'
import { base64, bytesOf, FILES, lines, noise } from '../steps/opaque-fixture.ts'

let gateway: RunningGateway
before(async () => {
  gateway = await startGateway()
})
after(() => gateway.close())

const DATA = base64(noise(900))
const PNG = base64(FILES['PNG'] as Buffer)
const says = (message: object): object => completion('', { choices: [{ index: 0, message, finish_reason: 'stop' }] })
const calls = (args: object): object => {
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'post', arguments: JSON.stringify(args) } }
  return { role: 'assistant', content: null, tool_calls: [call] }
}

/** A message of the model, and the kinds that are noted of it. */
const ANSWERS: readonly (readonly [what: string, message: object, kinds: readonly string[]])[] = [
  ['bytes', { role: 'assistant', content: `Here: ${DATA} done.` }, ['opaque.base64']],
  ['bytes in lines', { role: 'assistant', content: `Here:\n${lines(DATA, 76)}\n\nDone.` }, ['opaque.base64']],
  [
    'bytes in hexadecimal',
    { role: 'assistant', content: `Here: ${noise(600).toString('hex')} done` },
    ['opaque.hexadecimal'],
  ],
  ['an archive', { role: 'assistant', content: `Here: ${base64(bytesOf('PK\x03\x04'))}` }, ['opaque.compressed']],
  ['bytes in the arguments of a tool', calls({ url: 'https://x.example', body: DATA }), ['opaque.base64']],
  ['bytes as reasoning', { role: 'assistant', content: 'Yes.', reasoning_content: DATA }, ['opaque.base64']],
  ['a text', { role: 'assistant', content: 'All three regions grew. '.repeat(60) }, []],
  ['a text in base64', { role: 'assistant', content: base64('All three regions grew. '.repeat(60)) }, []],
  ['a picture in Markdown', { role: 'assistant', content: `![a](data:image/png;base64,${PNG})` }, []],
  ['a picture in the arguments of a tool', calls({ png: PNG }), []],
  ['sound of the model', { role: 'assistant', content: null, audio: { id: 'a', data: DATA, transcript: 'Yes.' } }, []],
  [
    'a picture of the model',
    {
      role: 'assistant',
      content: '',
      images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }],
    },
    [],
  ],
  ['reasoning that is encrypted', { role: 'assistant', content: 'Yes.', reasoning_details: [{ data: DATA }] }, []],
]

/** The kinds in the entries of an answer. */
async function noted(response: Response): Promise<readonly string[]> {
  const entries = await gateway.audit(`request_id=${response.headers.get('x-request-id')}`)
  const text = JSON.stringify(entries.filter(({ details }) => details['stage'] === 'response'))
  assert.ok(!text.includes(DATA.slice(40, 60)))
  return [...new Set(text.match(/opaque\.[a-z0-9]+/g))]
}

type ErrorBody = Readonly<{ error?: Readonly<Record<string, unknown>> }>

for (const [what, message, kinds] of ANSWERS) {
  test(`an answer: ${what}`, async () => {
    gateway.models.answer(json(says(message)))
    const passed = await gateway.post('/v1/chat/completions', chat('hello'))
    const { choices } = (await passed.json()) as { choices: readonly { message: object }[] }
    assert.deepEqual([passed.status, choices[0]?.message], [200, message])
    assert.deepEqual(await noted(passed), kinds)
    const strict = await gateway.post('/v1/chat/completions', chat('hello'), { 'x-tappass-flags': 'opaque=block' })
    const { error } = (await strict.json()) as ErrorBody
    assert.equal(error?.['code'], kinds.length === 0 ? undefined : 'policy.blocked_response')
    assert.deepEqual(await noted(strict), kinds)
  })

  test(`the same in a stream, in pieces: ${what}`, async () => {
    const deltas = Object.entries(message).flatMap(([name, value]): readonly object[] => {
      if (typeof value === 'string' && name !== 'role')
        return (value.match(/[\s\S]{1,60}/g) ?? []).map((text) => ({ [name]: text }))
      return [{ [name]: value }]
    })
    gateway.models.answer(events(...deltas.map((delta) => chunk(delta)), chunk({}, 'stop')))
    const passed = await gateway.post('/v1/chat/completions', chat('hello', { stream: true }))
    const text = await passed.text()
    assert.ok(text.endsWith('data: [DONE]\n\n'), text.slice(-200))
    assert.deepEqual(await noted(passed), kinds)
    const headers = { 'x-tappass-flags': 'opaque=block' }
    const strict = await gateway.post('/v1/chat/completions', chat('hello', { stream: true }), headers)
    const left = await strict.text().catch(() => '')
    assert.equal(left.includes('[DONE]'), kinds.length === 0)
    assert.equal(left.includes(DATA.slice(0, 40)) && kinds.length > 0, false)
  })
}

test('a large answer is noted, too', async () => {
  gateway.models.answer(json(completion(`see ${base64(noise(60_000))}`)))
  const passed = await gateway.post('/v1/chat/completions', chat('hello'))
  assert.deepEqual([passed.status, await noted(passed)], [200, ['opaque.base64']])
})

test('an embedding is no such thing', async () => {
  const embedding = Buffer.from(Float32Array.from({ length: 1536 }, (_, at) => Math.sin(at) / 40).buffer).toString(
    'base64',
  )
  gateway.models.answer(
    json({ object: 'list', data: [{ object: 'embedding', index: 0, embedding }], model: 'm', usage: {} }),
  )
  const passed = await gateway.post('/v1/embeddings', { model: 'm', input: 'hello', encoding_format: 'base64' })
  assert.deepEqual([passed.status, await noted(passed)], [200, []])
})
