/** What is forwarded, and what is answered, is what was sent, to the byte, unless something was taken out; and the client is told. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { chunksOf, completion, events, json } from '../model-server.ts'
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

const CARD = `4111${'1111'.repeat(3)}`
const IBAN = ['NL91', 'ABNA', '0417', '1643', '00'].join('')
const MARK = '[REDACTED:pii.credit_card]'

type Tappass = Readonly<{ redacted: readonly string[]; redacted_in: readonly string[] }>
const tappassOf = (text: string): Tappass => (JSON.parse(text) as { tappass: Tappass }).tappass

/** Posts bytes as they are. */
function postBytes(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gateway.agent.key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : Buffer.from(body),
  })
}

const chatText = (more: string, content = '"hello"'): string =>
  `{"model":"gpt-test","messages":[{"role":"user","content":${content}}]${more}}`

const ODD: readonly (readonly [what: string, body: string])[] = [
  ['integers above 2^53', chatText(',"seed":9223372036854775807,"metadata":{"id":18446744073709551615}')],
  [
    'numbers that no double holds',
    chatText(
      ',"tools":[{"type":"function","function":{"name":"f","parameters":{"maximum":1e400,"minimum":-0,"enum":[1234567890123456789,1.0,1E+2]}}}]',
    ),
  ],
  ['blanks', ` \n${chatText(' ,\t"n" : 1').replaceAll(',', ', ')}\r\n `],
  ['members in another order', '{"temperature":0.70,"messages":[{"content":"hi","role":"user"}],"model":"m"}'],
  ['names that are numbers', chatText(',"logit_bias":{"50256":-100,"42":1}')],
  ['escapes', chatText('', '"caf\\u00e9 \\/ \\ud83d\\ude00 \\u0041"')],
  ['half a character', chatText('', '"a\\ud83d b"')],
  ['characters of four bytes', chatText('', '"漢字 😀 \u2028"')],
]
for (const [what, body] of ODD) {
  test(`forwarded as it came: ${what}`, async () => {
    const response = await postBytes(body)
    assert.equal(response.status, 200, await response.clone().text())
    assert.equal(gateway.models.received[0]?.body, body)
    assert.equal(response.headers.get('x-tappass-redacted'), null)
    assert.deepEqual(tappassOf(await response.text()).redacted, [])
  })
}

const SETTLED: readonly (readonly [what: string, body: string, sent: string])[] = [
  [
    'messages twice',
    '{"model":"m","messages":[{"role":"user","content":"evil"}],"messages":[{"role":"user","content":"good"}]}',
    '{"model":"m","messages":[{"role":"user","content":"good"}]}',
  ],
  [
    'a content twice, once escaped',
    '{"model":"m","messages":[{"role":"user","c\\u006fntent":"evil", "content":"good"}],"seed":1e2}',
    '{"model":"m","messages":[{"role":"user","content":"good"}],"seed":1e2}',
  ],
]
for (const [what, body, sent] of SETTLED) {
  test(`what is sent is what was judged: ${what}`, async () => {
    assert.equal((await postBytes(body)).status, 200)
    assert.equal(gateway.models.received[0]?.body, sent)
  })
}

const NOT_UTF8: readonly (readonly [what: string, bytes: Uint8Array, type?: string])[] = [
  ['Latin-1', Buffer.from(chatText('', '"café"'), 'latin1')],
  ['Latin-1 that says so', Buffer.from(chatText('', '"café"'), 'latin1'), 'application/json; charset=iso-8859-1'],
  ['half a character', Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xf0, 0x9f]), Buffer.from('"}')])],
  ['a surrogate', Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')])],
  ['UTF-16', Buffer.from(chatText(''), 'utf16le')],
  ['a byte order mark', Buffer.from(`\ufeff${chatText('')}`)],
]
for (const [what, bytes, type = 'application/json'] of NOT_UTF8) {
  test(`refused: ${what}`, async () => {
    const response = await postBytes(bytes, { 'content-type': type })
    const { error } = (await response.json()) as { error: { code: string } }
    assert.deepEqual([response.status, error.code], [400, 'request.malformed'])
    assert.equal(gateway.models.received.length, 0)
  })
}

const ANSWERS: readonly (readonly [what: string, answer: string, before: string])[] = [
  [
    'odd numbers',
    '{"id":18446744073709551615,"usage":{"x":-0,"y":1.0,"z":1e999}}',
    '{"id":18446744073709551615,"usage":{"x":-0,"y":1.0,"z":1e999}',
  ],
  ['blanks', '\n{ "choices" : [] }\n', '\n{ "choices" : [] '],
  ['nothing', ' { } ', ' { '],
  [
    'escapes',
    '{"choices":[{"message":{"content":"\\u00e9\\/\\ud800"}}]}',
    '{"choices":[{"message":{"content":"\\u00e9\\/\\ud800"}}]',
  ],
  ['a name twice', '{"x":1,"x":2}', '{"x":2'],
]
for (const [what, answer, before] of ANSWERS) {
  test(`answered as it came, with our object behind it: ${what}`, async () => {
    gateway.models.answer((response) => void response.writeHead(200).end(answer))
    const text = await (await postBytes(chatText(''))).text()
    assert.ok(text.startsWith(`${before}${what === 'nothing' ? '' : ','}"tappass":{`), text)
    assert.ok(tappassOf(text))
    assert.equal(text.slice(text.lastIndexOf('}')), answer.slice(answer.lastIndexOf('}')))
  })
}

test('an answer that is not UTF-8 does not leave', async () => {
  gateway.models.answer((response) => void response.writeHead(200).end(Buffer.from('{"x":"caf\xe9"}', 'latin1')))
  assert.equal((await postBytes(chatText(''))).status, 502)
})

const arguments_ = `{\\"card\\": ${CARD}, \\"n\\": 12345678901234567890}`
const TAKEN_OUT: readonly (readonly [what: string, body: string, word: string, mark: string])[] = [
  ['a text', chatText(',"seed":12345678901234567890', `"pay \\u0062y ${CARD} now"`), CARD, MARK],
  ['a number', chatText(`,"metadata":{"card": ${CARD} ,"x":-0}`), CARD, `"${MARK}"`],
  ['a number beyond 2^53', chatText(',"metadata":{"x":5610591081018250000e0,"y":1e999}'), 'none', ''],
  [
    'arguments of a call',
    `{"model":"m","messages":[{"role":"user","content":"x"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"${arguments_}"}}]},{"role":"tool","tool_call_id":"c1","content":"ok"}]}`,
    CARD,
    `\\"${MARK}\\"`,
  ],
]
for (const [what, body, word, mark] of TAKEN_OUT) {
  test(`taken out, all else to the byte, and the client is told: ${what}`, async () => {
    const response = await postBytes(body)
    const text = await response.text()
    assert.equal(response.status, 200, text)
    const sent = gateway.models.received[0]?.body ?? ''
    assert.equal(sent, body.replace(word, mark))
    JSON.parse(sent)
    if (word === 'none') return
    assert.equal(response.headers.get('x-tappass-redacted'), 'pii.credit_card')
    assert.deepEqual(tappassOf(text).redacted, ['pii.credit_card'])
    assert.deepEqual(tappassOf(text).redacted_in, ['request'])
  })
}

test('a number of nineteen digits is judged by its digits, not by what a double makes of it', async () => {
  const long = '4000000000000000006'
  await postBytes(chatText(`,"metadata":{"card":${long}}`))
  assert.equal(gateway.models.received[0]?.body, chatText(`,"metadata":{"card":"${MARK}"}`))
})

test('an answer with arguments stays JSON, and the client is told', async () => {
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: `{"card":${CARD},"n":1}` } }
  const choice = { index: 0, message: { role: 'assistant', content: null, tool_calls: [call] }, finish_reason: 'stop' }
  gateway.models.answer(json(completion('', { choices: [choice] })))
  const response = await postBytes(chatText('', `"to ${IBAN}"`))
  const text = await response.text()
  const { choices, tappass } = JSON.parse(text) as {
    choices: { message: { tool_calls: { function: { arguments: string } }[] } }[]
    tappass: Tappass
  }
  assert.deepEqual(JSON.parse(choices[0]?.message.tool_calls[0]?.function.arguments ?? ''), { card: MARK, n: 1 })
  assert.equal(response.headers.get('x-tappass-redacted'), 'pii.credit_card, pii.iban')
  assert.deepEqual(tappass.redacted_in, ['request', 'response'])
})

const STREAMED_ARGUMENTS: readonly (readonly [what: string, text: string])[] = [
  ['a number', `{"card": ${CARD}, "n": 1}`],
  ['a number at the end', `{"n": 1, "card": ${CARD}}`],
  ['numbers of a list', `{"cards": [${CARD}, ${CARD}]}`],
  ['a string', `{"card": "${CARD}"}`],
  ['JSON in JSON', JSON.stringify({ body: JSON.stringify({ card: Number(CARD) }) })],
  ['a line break before an address', '{"body": "Hi\\nbob@example.com\\nBye"}'],
]
for (const [what, text] of STREAMED_ARGUMENTS) {
  for (const chars of [1, 3, 1000]) {
    test(`streamed arguments stay JSON, in pieces of ${chars}: ${what}`, async () => {
      const pieces = text.match(new RegExp(`[^]{1,${chars}}`, 'g')) ?? []
      const chunks = pieces.map((piece, index) => ({
        id: 'c',
        object: 'chat.completion.chunk',
        choices: [
          {
            index: 0,
            delta: {
              tool_calls: [
                {
                  index: 0,
                  ...(index ? {} : { id: 'c1', type: 'function' }),
                  function: { ...(index ? {} : { name: 'f' }), arguments: piece },
                },
              ],
            },
            finish_reason: null,
          },
        ],
      }))
      gateway.models.answer(events(...chunks, ...chunksOf().slice(-1)))
      const response = await postBytes(chatText(',"stream":true'), { 'x-tappass-flags': 'pii=mask' })
      const lines = (await response.text()).split('\n\n').filter((line) => line.startsWith('data: {'))
      type Chunk = { choices: { delta: { tool_calls?: { function: { arguments: string } }[] } }[]; tappass?: Tappass }
      const left = lines.map((line) => JSON.parse(line.slice('data: '.length)) as Chunk)
      const joined = left.map(({ choices }) => choices[0]?.delta.tool_calls?.[0]?.function.arguments ?? '').join('')
      assert.deepEqual(Object.keys(JSON.parse(joined)), Object.keys(JSON.parse(text)))
      assert.ok(!joined.includes(CARD) && !joined.includes('bob') && joined.includes('[REDACTED:'), joined)
      assert.deepEqual(left.at(-1)?.tappass?.redacted_in, ['response'])
    })
  }
}

test('numbers in the chunks of a stream stay as they are written, and are judged by their digits', async () => {
  const written = '"usage":{"n":18446744073709551615,"x":[-0,1.0,1e999,0.50]}'
  const choice = '"choices":[{"index":0,"delta":{"content":"hi","n":1.0},"finish_reason":"stop"}]'
  const chunk = `{"id":"c",${choice},${written},"card":4000000000000000006}`
  gateway.models.answer((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`data: ${chunk}\n\ndata: [DONE]\n\n`)
  })
  const text = await (await postBytes(chatText(',"stream":true'))).text()
  assert.ok(text.includes(written) && text.includes('"n":1.0'), text)
  assert.ok(text.includes(`"card":"${MARK}"`), text)
})

test('in a conversation of 20 turns each request is a beginning of the next, redactions included', async () => {
  const next = (turn: number): readonly object[] => [
    {
      role: 'user',
      content: `Turn ${turn}: card ${CARD}, order ${1e15 + turn}, mail ann@example.com, ref 12.34.${turn}`,
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: `call_${turn}`,
          type: 'function',
          function: { name: 'pay', arguments: `{"card":${CARD},"turn":${turn}}` },
        },
      ],
    },
    {
      role: 'tool',
      tool_call_id: `call_${turn}`,
      content: turn % 3 ? `{"iban": "${IBAN}"}` : `Found bsn 11122233${turn % 10}`,
    },
    { role: 'assistant', content: turn % 2 ? `Paid to ${IBAN}.` : 'Done.' },
  ]
  const messages: object[] = []
  let before = ''
  for (let turn = 0; turn < 20; turn++) {
    messages.push(...next(turn))
    const response = await gateway.post('/v1/chat/completions', { model: 'gpt-test', messages })
    assert.equal(response.status, 200, await response.text())
    const sent = gateway.models.received.at(-1)?.body ?? ''
    assert.ok(sent.includes(MARK) && !sent.includes(CARD))
    assert.ok(sent.startsWith(before), `turn ${turn}`)
    before = sent.slice(0, sent.lastIndexOf(']'))
  }
})

test('the conversation of a client that sends back what it got goes on as it was sent', async () => {
  gateway.models.answer(json(completion(`Use ${CARD}.`)))
  const first = (await (await gateway.post('/v1/chat/completions', chat('Which card?'))).json()) as {
    choices: { message: object }[]
  }
  const messages = [
    { role: 'user', content: 'Which card?' },
    first.choices[0]?.message,
    { role: 'user', content: 'And?' },
  ]
  const body = JSON.stringify({ model: 'm', messages })
  const response = await postBytes(body)
  assert.equal(gateway.models.received.at(-1)?.body, body)
  assert.deepEqual(tappassOf(await response.text()).redacted_in, ['response'])
})
