/** Chunks of streams split into texts and the rest, and put together again as they came. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROJECTION_LIMITS, ProjectionError, project } from '../../../server/protocol/projection.ts'
import {
  type FieldText,
  firstPart,
  isAddressed,
  isForeign,
  type JsonObject,
  lastPart,
  splitChunk,
} from '../../../server/protocol/stream-chunk.ts'

const chunkOf = (choice: object) => ({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, ...choice }] })
/** Holds what is not a name, an id or the like. */
const isHeld = ({ path }: FieldText): boolean =>
  !['role', 'id', 'type', 'name', 'finish_reason'].includes(String(path.at(-1)))

const TEXTS: readonly (readonly [what: string, choice: object, pointer: string, text: string])[] = [
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
  [
    'arguments of a tool without a number',
    { delta: { tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{' } }] } },
    '/choices/0/delta/tool_calls/0/function/arguments',
    '{',
  ],
  ['content in parts', { delta: { content: [{ type: 'text', text: 'a' }] } }, '/choices/0/delta/content/0/text', 'a'],
]

for (const [what, choice, pointer, text] of TEXTS) {
  test(`is held, and goes back to where it was: ${what}`, () => {
    const chunk = chunkOf(choice)
    const split = splitChunk(chunk, isHeld)
    assert.ok(split)
    assert.deepEqual(
      split.texts.map(({ field }) => [field.pointer, field.text]),
      [[pointer, text]],
    )
    assert.ok(!JSON.stringify(split.chunk).includes(`"${text}"`))
    assert.ok(project(split.chunk).every((segment) => segment.text !== text))
    split.texts[0]?.slot.fill(text, text.length)
    assert.deepEqual(JSON.parse(JSON.stringify(split.chunk)), chunk)
    assert.equal(split.texts[0]?.slot.heldChars, 0)
  })
}

const REST: readonly (readonly [what: string, choice: object])[] = [
  ['who speaks', { delta: { role: 'assistant', content: '' } }],
  [
    'the beginning of a tool call',
    { delta: { tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '' } }] } },
  ],
  ['a number', { delta: { score: 3 } }],
]

for (const [what, choice] of REST) {
  test(`is sent as it is: ${what}`, () => {
    const split = splitChunk(chunkOf(choice), isHeld)
    assert.deepEqual(split?.texts, [])
    assert.deepEqual(split?.chunk, chunkOf(choice))
  })
}

test('a string that is not held is known by its field, whatever its place in the chunk', () => {
  const split = splitChunk(chunkOf({ index: 4, delta: { tool_calls: [{ index: 7, id: 'c' }] } }), isHeld)
  const [[place, field] = []] = [...(split?.fields ?? [])]
  assert.deepEqual([place, field?.pointer], ['/choices/0/delta/tool_calls/0/id', '/choices/4/delta/tool_calls/7/id'])
})

test('the end of a choice is told; an empty reason ends nothing', () => {
  assert.deepEqual(splitChunk(chunkOf({ delta: {}, finish_reason: 'stop' }), isHeld)?.ended, [0])
  assert.deepEqual(splitChunk(chunkOf({ delta: {}, finish_reason: '' }), isHeld)?.ended, [])
  assert.deepEqual(splitChunk(chunkOf({ delta: {}, finish_reason: null }), isHeld)?.ended, [])
})

test('usage alone is a chunk, and so is one without choices', () => {
  const usage = { total_tokens: 3 }
  assert.deepEqual(splitChunk({ id: 'c', choices: [], usage }, isHeld)?.chunk, { id: 'c', choices: [], usage })
  assert.deepEqual(splitChunk({ id: 'c', choices: null, usage }, isHeld)?.chunk, { id: 'c', choices: [], usage })
  assert.deepEqual(splitChunk({ id: 'c', usage }, isHeld)?.chunk, { id: 'c', usage, choices: [] })
})

test("token lists, padding and the gateway's own member do not pass", () => {
  const split = splitChunk(
    {
      ...chunkOf({ delta: {}, logprobs: { content: ['x'] }, token_ids: [1] }),
      obfuscation: 'x',
      tappass: { blocked: false },
    },
    isHeld,
  )
  assert.deepEqual(split?.chunk, chunkOf({ delta: {}, logprobs: null, token_ids: null }))
})

test('a text that leaves in part: what ends the choice and the usage come with the last part', () => {
  const usage = { total_tokens: 3 }
  const chunk = {
    ...chunkOf({ delta: { role: 'assistant', content: 'ab' }, finish_reason: 'stop' }),
    usage,
    list: ['x'],
  }
  const split = splitChunk(chunk, isHeld)
  const [text] = split?.texts ?? []
  assert.ok(split && text && isAddressed(text.field.path))
  text.slot.fill('a', 1)
  const plain = (value: JsonObject): unknown => JSON.parse(JSON.stringify(value))
  const first = chunkOf({ delta: { role: 'assistant', content: 'a' }, finish_reason: null })
  assert.deepEqual(plain(firstPart(split.chunk)), { ...first, list: ['x'] })
  text.slot.empty()
  text.slot.fill('b', 1)
  const last = chunkOf({ delta: { content: 'b' }, finish_reason: 'stop' })
  assert.deepEqual(plain(lastPart(split.chunk, text)), { ...last, usage })
})

test('an item without a number of its own is not parted: what follows could not be told to be of it', () => {
  const split = splitChunk(chunkOf({ delta: { tool_calls: [{ function: { arguments: '{}' } }] } }), isHeld)
  assert.equal(isAddressed(split?.texts[0]?.field.path ?? []), false)
})

for (const [what, value] of Object.entries({
  nothing: null,
  text: 'x',
  'a list': [],
  'choices that are none': { choices: [3] },
  'choices that are no list': { choices: { 0: {} } },
})) {
  test(`is no chunk: ${what}`, () => assert.equal(splitChunk(value, isHeld), undefined))
}

test('what has no member of a chunk is foreign', () => {
  assert.equal(isForeign({ type: 'ping' }), true)
  assert.equal(isForeign({ usage: null }), false)
})

test('a chunk that is too deep is not walked', () => {
  let deep: unknown = 'x'
  for (let depth = 0; depth <= PROJECTION_LIMITS.depthMax; depth++) deep = [deep]
  assert.throws(() => splitChunk(chunkOf({ delta: { deep } }), isHeld), ProjectionError)
})
