/** Chunks of streams taken apart, and put together again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildChunk, envelopeOf, splitChunk } from '../../../server/protocol/stream-chunk.ts'

const chunkOf = (choice: object) => ({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] })

const GROWING: readonly (readonly [what: string, choice: object, pointer: string, text: string])[] = [
  ['content', { delta: { content: 'a' } }, '/choices/0/delta/content', 'a'],
  ['a refusal', { delta: { refusal: 'no' } }, '/choices/0/delta/refusal', 'no'],
  ['what reasoning models think', { delta: { reasoning_content: 'hm' } }, '/choices/0/delta/reasoning_content', 'hm'],
  ['a field nobody has heard of', { delta: { 'new/field': 'x' } }, '/choices/0/delta/new~1field', 'x'],
  ['text of the older route', { text: 'a' }, '/choices/0/text', 'a'],
  ['another choice', { index: 3, delta: { content: 'a' } }, '/choices/3/delta/content', 'a'],
  [
    'arguments, by the number of their tool',
    { delta: { tool_calls: [{ index: 2, function: { arguments: '{' } }] } },
    '/choices/0/delta/tool_calls/2/function/arguments',
    '{',
  ],
  ['content in parts', { delta: { content: [{ type: 'text', text: 'a' }] } }, '/choices/0/delta/content/0/text', 'a'],
]

for (const [what, choice, pointer, text] of GROWING) {
  test(`grows, leaves nothing behind, and goes back to where it was: ${what}`, () => {
    const chunk = chunkOf(choice)
    const apart = splitChunk(chunk)
    assert.ok(apart)
    assert.deepEqual(
      apart.deltas.map((growth) => [growth.pointer, growth.text]),
      [[pointer, text]],
    )
    assert.equal(apart.shell.isEmpty, true)
    assert.ok(!JSON.stringify(apart.shell.chunk).includes(`"${text}"`))
    const [growth] = apart.deltas
    assert.ok(growth)
    const again = buildChunk(envelopeOf(apart.shell.chunk), growth, text)
    assert.deepEqual(again, { ...chunk, choices: [{ ...chunk.choices[0], finish_reason: null }] })
  })
}

const WHOLE: readonly (readonly [what: string, choice: object])[] = [
  ['who speaks', { delta: { role: 'assistant', content: '' } }],
  [
    'the beginning of a tool call',
    { delta: { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] } },
  ],
  ['a number', { delta: { score: 3 } }],
]

for (const [what, choice] of WHOLE) {
  test(`is sent as it is: ${what}`, () => {
    const apart = splitChunk(chunkOf(choice))
    assert.deepEqual(apart?.deltas, [])
    assert.equal(apart?.shell.isEmpty, false)
    assert.deepEqual(apart?.shell.chunk, chunkOf(choice))
  })
}

test('the end of a choice is told', () => {
  assert.deepEqual(splitChunk(chunkOf({ delta: {}, finish_reason: 'stop' }))?.shell.ended, [0])
})

test('usage alone is a chunk that is sent', () => {
  const usage = { id: 'c', choices: [], usage: { total_tokens: 3 } }
  assert.deepEqual(splitChunk(usage), { shell: { chunk: usage, isEmpty: false, ended: [] }, deltas: [] })
})

for (const [what, value] of Object.entries({
  nothing: null,
  text: 'x',
  'a list': [],
  'no choices': {},
  'choices that are none': { choices: [3] },
})) {
  test(`is no chunk: ${what}`, () => assert.equal(splitChunk(value), undefined))
}
