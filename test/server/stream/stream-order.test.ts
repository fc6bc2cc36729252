/** Within a choice nothing changes places: chunks leave as they came, each when what is in it is judged to its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunk } from '../model-server.ts'
import { joinedTexts, receive } from './stream-fixture.ts'

const DONE = 'data: [DONE]\n\n'
const begin = (index: number, name: string, text = ''): object =>
  chunk({ tool_calls: [{ index, id: `c${index}`, type: 'function', function: { name, arguments: text } }] })
const args = (index: number, text: string): object => chunk({ tool_calls: [{ index, function: { arguments: text } }] })
const content = (text: string, choice = 0): object => chunk({ content: text }, null, choice)
const thought = (text: string): object => chunk({ reasoning_content: text })

const ROWS: readonly (readonly [what: string, chunks: readonly object[]])[] = [
  [
    'parallel tool calls, one after the other',
    [
      begin(0, 'a'),
      args(0, '{"city":'),
      args(0, '"Paris"}'),
      begin(1, 'b'),
      args(1, '{"tz":"U'),
      args(1, 'TC"}'),
      chunk({}, 'tool_calls'),
    ],
  ],
  [
    'parallel tool calls that take turns',
    [
      begin(0, 'a', '{"ci'),
      begin(1, 'b', '{"t'),
      args(0, 'ty":"Pa'),
      args(1, 'z":"U'),
      args(0, 'ris"}'),
      args(1, 'TC"}'),
      chunk({}, 'tool_calls'),
    ],
  ],
  [
    'words before a tool call',
    [content('I will tell '), content('you wh'), content('at'), begin(0, 'a'), args(0, '{}'), chunk({}, 'tool_calls')],
  ],
  [
    'reasoning before the answer',
    [...Array.from({ length: 23 }, () => thought('hmm, so')), content('Yes'), content('.'), chunk({}, 'stop')],
  ],
  [
    'reasoning, answer and reasoning again',
    [thought('one'), content('two'), thought('three'), content('four'), chunk({}, 'stop')],
  ],
  [
    'calls without a number, each whole',
    [
      chunk({ tool_calls: [{ id: 'x', type: 'function', function: { name: 'a', arguments: '{"city":"Paris"}' } }] }),
      chunk({ tool_calls: [{ id: 'y', type: 'function', function: { name: 'b', arguments: '{"tz":"UTC"}' } }] }),
      chunk({}, 'tool_calls'),
    ],
  ],
  [
    'two choices',
    [content('a', 0), content('b', 1), content('c', 0), content('d', 1), chunk({}, 'stop', 1), chunk({}, 'stop')],
  ],
  [
    'both in one chunk',
    [
      chunk({ reasoning_content: 'so', content: 'Yes' }),
      chunk({ reasoning_content: ' on', content: ' and no' }),
      chunk({}, 'stop'),
    ],
  ],
  [
    'several calls in one chunk',
    [
      chunk({
        tool_calls: [
          { index: 0, function: { arguments: '{"a' } },
          { index: 1, function: { arguments: '{"b' } },
        ],
      }),
      args(0, '":1}'),
      args(1, '":2}'),
      chunk({}, 'stop'),
    ],
  ],
  [
    'a chunk without text among them',
    [content('Good '), chunk({}), { ...chunk({}), choices: [] }, content('morning'), chunk({}, 'stop')],
  ],
  [
    'the older function call',
    [
      chunk({ function_call: { name: 'f', arguments: '{"a' } }),
      chunk({ function_call: { arguments: '":1}' } }),
      chunk({}, 'function_call'),
    ],
  ],
]

for (const [what, chunks] of ROWS) {
  test(`at once, the chunks are those that came: ${what}`, async () => {
    const received = await receive([...chunks, DONE])
    assert.deepEqual(received.chunks, chunks)
    assert.ok(received.isDone && received.isComplete)
  })

  test(`one by one, nothing changes places: ${what}`, async () => {
    const received = await receive([...chunks, DONE], true)
    // A chunk may be parted at a word that is still held.
    assert.deepEqual(joinedTexts(received.chunks), joinedTexts(chunks))
    assert.deepEqual(placesIn(received.chunks), placesIn(chunks))
  })
}

/** The order of the places within each choice, what follows at the same place as one. */
function placesIn(chunks: readonly unknown[]): readonly unknown[] {
  const orders = new Map<number, string[]>()
  for (const { choices } of chunks as readonly { choices: readonly { index: number }[] }[]) {
    for (const choice of choices) {
      const order = orders.get(choice.index) ?? []
      orders.set(choice.index, order)
      for (const pointer of Object.keys(joinedTexts([{ choices: [choice] }]))) {
        if (order.at(-1) !== pointer) order.push(pointer)
      }
    }
  }
  return [...orders].toSorted(([one], [other]) => one - other)
}

test('an earlier text that may still be a secret keeps what comes after it, until that is known', async () => {
  const secret = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
  const chunks = [
    content(`Here: ${secret.slice(0, 30)}`),
    thought('so far'),
    content(secret.slice(30)),
    thought('done'),
    chunk({}, 'stop'),
    DONE,
  ]
  const received = await receive(chunks, true)
  assert.equal(received.error?.code, 'policy.blocked_response')
  assert.ok(!received.text.includes('ghp_') && !received.text.includes('so far'), received.text)
})

test('what turns out harmless leaves in its order', async () => {
  const chunks = [
    content('Here: ghp_a1B2c3D4'),
    thought('so far'),
    content(' was no token'),
    thought(' done'),
    chunk({}, 'stop'),
    DONE,
  ]
  const received = await receive(chunks, true)
  assert.deepEqual(joinedTexts(received.chunks), joinedTexts(chunks.slice(0, -1)))
  assert.ok(received.text.indexOf('ghp_') < received.text.indexOf('so far'))
})

test('words that paused do not wait for the rest of the answer', async () => {
  const chunks = [
    thought('I think of the weather'),
    ...Array.from({ length: 40 }, () => content('word ')),
    chunk({}, 'stop'),
    DONE,
  ]
  const received = await receive(chunks, true)
  const judgements = Number(received.bench.entries.at(-1)?.details['judgements'])
  assert.ok(judgements > 20, `${judgements}`)
  assert.equal(received.isComplete, true)
})

for (const pieceChars of [1, 3, 7]) {
  test(`a secret whose pieces of ${pieceChars} take turns with another text leaves in its first characters at most`, async () => {
    const secret = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
    const pieces = secret.match(new RegExp(`.{1,${pieceChars}}`, 'g')) ?? []
    const chunks = pieces.flatMap((piece) => [content(piece), thought('x ')])
    const received = await receive([...chunks, chunk({}, 'stop'), DONE], true)
    assert.equal(received.error?.code, 'policy.blocked_response')
    assert.ok((joinedTexts(received.chunks)['/0/delta/content'] ?? '').length <= 11, received.text)
  })
}
