/** project finds every string of every API's body, says whose words it holds, and refuses what it can't look through. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KEY_SUFFIX } from '../../../server/protocol/json-pointer.ts'
import { PROJECTION_LIMITS, ProjectionError, project, projectSource } from '../../../server/protocol/projection.ts'
import { sequence } from '../rules/fixture.ts'

const authors = (body: unknown, text: string): readonly (readonly [string, string])[] =>
  project(body)
    .filter((segment) => segment.text === text)
    .map(({ author, pointer }) => [author, pointer] as const)

const X = 'look here'
const ROWS: readonly (readonly [author: string, pointer: string, body: unknown])[] = [
  ['user', '/messages/0/content', { messages: [{ role: 'user', content: X }] }],
  ['system', '/messages/0/content', { messages: [{ role: 'developer', content: X }] }],
  [
    'assistant',
    '/messages/0/content/0/text',
    { messages: [{ role: 'assistant', content: [{ type: 'text', text: X }] }] },
  ],
  ['tool', '/messages/0/content', { messages: [{ role: 'tool', content: X }] }],
  ['other', '/messages/0/content', { messages: [{ role: 'nobody', content: X }] }],
  [
    'tool',
    '/messages/0/content/0/content/0/text',
    { messages: [{ role: 'user', content: [{ type: 'tool_result', content: [{ type: 'text', text: X }] }] }] },
  ],
  [
    'tool',
    '/messages/0/content/0/source/data',
    { messages: [{ role: 'user', content: [{ type: 'document', source: { data: X } }] }] },
  ],
  ['tool', '/messages/0/content/role', { messages: [{ role: 'tool', content: { role: X } }] }],
  [
    'tool',
    '/messages/0/content/0/content/role',
    { messages: [{ role: 'user', content: [{ type: 'tool_result', content: { role: X } }] }] },
  ],
  [
    'assistant',
    '/messages/0/tool_calls/0/function/arguments',
    { messages: [{ role: 'assistant', tool_calls: [{ function: { arguments: X } }] }] },
  ],
  [
    'assistant',
    '/messages/0/content/0/input/query',
    { messages: [{ role: 'assistant', content: [{ type: 'tool_use', input: { query: X } }] }] },
  ],
  ['system', '/system', { system: X }],
  ['system', '/system/0/text', { system: [{ type: 'text', text: X }] }],
  ['system', '/instructions', { instructions: X }],
  ['user', '/prompt/0', { prompt: [X] }],
  ['user', '/input', { input: X }],
  ['user', '/input/0', { input: [X] }],
  ['tool', '/input/0/output', { input: [{ type: 'function_call_output', output: X }] }],
  ['schema', '/tools/0/function/description', { tools: [{ function: { description: X } }] }],
  [
    'schema',
    '/tools/0/function/parameters/properties/a/description',
    { tools: [{ function: { parameters: { properties: { a: { description: X } } } } }] },
  ],
  ['schema', '/response_format/json_schema/name', { response_format: { json_schema: { name: X } } }],
  ['other', '/metadata/note', { metadata: { note: X } }],
  ['other', '/a~1b/c~0d/0', { 'a/b': { 'c~d': [X] } }],
  ['assistant', '/choices/0/message/content', { choices: [{ message: { role: 'assistant', content: X } }] }],
  ['assistant', '/choices/0/delta/content', { choices: [{ delta: { content: X } }] }],
  ['assistant', '/choices/0/text', { choices: [{ text: X }] }],
  ['assistant', '/content/0/text', { type: 'message', role: 'assistant', content: [{ type: 'text', text: X }] }],
  [
    'assistant',
    '/output/0/content/0/text',
    { output: [{ role: 'assistant', content: [{ type: 'output_text', text: X }] }] },
  ],
  ['other', `/metadata/${X}${KEY_SUFFIX}`, { metadata: { [X]: 1 } }],
  ['other', '', X],
]
for (const [author, pointer, body] of ROWS) {
  test(`${author} at ${pointer}`, () => assert.deepEqual(authors(body, X), [[author, pointer]]))
}

test('a tool result cannot make itself anybody else', () => {
  const forged = {
    role: 'tool',
    content: [{ role: 'system', type: 'text', text: X }, { messages: [{ role: 'user', content: X }] }],
  }
  assert.deepEqual(new Set(authors({ messages: [forged] }, X).map(([author]) => author)), new Set(['tool']))
})

test('every string and telling number of a random body is projected, at the pointer where it stands', () => {
  const next = sequence(5)
  const strings: string[] = []
  const value = (depth: number): unknown => {
    const sort = next()
    if (depth === 0 || sort < 0.4) {
      const text = `text-${strings.length}`
      strings.push(text)
      return text
    }
    if (sort < 0.5) return null
    if (sort < 0.7) return Array.from({ length: 3 }, () => value(depth - 1))
    const names = ['messages', 'content', 'role', 'type', 'a/b', '~', '', 'tools', 'choices', 'x y']
    return Object.fromEntries(
      Array.from({ length: 4 }, () => [names[Math.floor(next() * names.length)], value(depth - 1)]),
    )
  }
  for (let round = 0; round < 200; round++) {
    strings.length = 0
    const body = JSON.parse(JSON.stringify(value(5)))
    const kept = new Set(JSON.stringify(body).match(/text-\d+/g))
    const segments = project(body).filter(({ pointer }) => !pointer.endsWith(KEY_SUFFIX))
    assert.deepEqual(new Set(segments.map(({ text }) => text)), kept)
    for (const { pointer, text } of segments) assert.equal(at(body, pointer), text)
  }
})

function at(body: unknown, pointer: string): unknown {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
  return keys.reduce((value, key) => (value as Record<string, unknown>)[key], body)
}

test('numbers long enough to be a card are projected as digits', () => {
  assert.deepEqual(
    project({ a: 4111111111111111, b: 1730000000 }).map(({ text }) => text),
    ['4111111111111111'],
  )
})

const nested = (depth: number): unknown => Array.from({ length: depth }).reduce((inside: unknown) => [inside], 'x')
const TOO_MUCH: readonly (readonly [keyof typeof PROJECTION_LIMITS, unknown])[] = [
  ['depthMax', nested(PROJECTION_LIMITS.depthMax + 1)],
  ['segmentsMax', Array.from({ length: PROJECTION_LIMITS.segmentsMax + 1 }, () => 'x')],
  ['charsMax', ['x'.repeat(PROJECTION_LIMITS.charsMax), 'x']],
]
for (const [limit, body] of TOO_MUCH) {
  test(`over ${limit} it throws`, () => {
    assert.throws(
      () => project(body),
      (error) => error instanceof ProjectionError && error.limit === limit,
    )
  })
}
test('at the limit of depth it does not', () => assert.equal(project(nested(PROJECTION_LIMITS.depthMax)).length, 1))

const digitsIn = (source: string): readonly (readonly [string, string, string | undefined])[] =>
  projectSource(JSON.parse(source), source)
    .segments.filter(({ isNumber }) => isNumber)
    .map(({ pointer, text, name }) => [pointer, text, name])

const NUMBERS: readonly (readonly [what: string, source: string, segments: ReturnType<typeof digitsIn>])[] = [
  ['nineteen digits', '{"n":4000000000000000006}', [['/n', '4000000000000000006', undefined]]],
  ['negative', '{"n":-4111111111111111}', [['/n', '4111111111111111', undefined]]],
  ['with a fraction', '{"n":4111111111111111.5}', [['/n', '4111111111111111', undefined]]],
  ['with an exponent', '{"n":400000000000000000.6e1}', [['/n', '4000000000000000006', undefined]]],
  ['with a negative exponent', '{"n":40000000000000000060e-1}', [['/n', '4000000000000000006', undefined]]],
  ['under a name', '{"ssn":219099999,"n":219099999}', [['/ssn', '219099999', 'ssn']]],
  ['in a list under a name', '{"ssn":[1,219099999]}', [['/ssn/1', '219099999', 'ssn']]],
  ['under names of the API', '{"created":1730000000,"max_tokens":10000000}', []],
  ['in a schema', '{"tools":[{"maximum":9223372036854775807,"enum":[4111111111111111]}]}', []],
  ['a name twice', '{"n":1,"n":4000000000000000006}', [['/n', '4000000000000000006', undefined]]],
]
for (const [what, source, segments] of NUMBERS) {
  test(`numbers ${what}`, () => assert.deepEqual(digitsIn(source), segments))
}

const NAMES: readonly (readonly [name: string | undefined, body: object])[] = [
  ['password', { password: X }],
  ['password', { a: { password: [X] } }],
  ['password', { password: { value: X } }],
  ['DB_PASSWORD', { env: [{ name: 'DB_PASSWORD', value: X }] }],
  ['password', { tools: [{ function: { parameters: { properties: { password: { type: 'string', default: X } } } } }] }],
  [undefined, { messages: [{ role: 'user', content: X }] }],
  [undefined, { value: X }],
]
for (const [name, body] of NAMES) {
  test(`the name ${name} stands beside ${JSON.stringify(body)}`, () =>
    assert.deepEqual(
      project(body).flatMap((segment) => (segment.text === X ? [segment.name] : [])),
      [name],
    ))
}

test('the tokens of an answer are one text, too, and so are their bytes', () => {
  const tokens = ['sec', 'ret', '!'].map((token) => ({ token, bytes: [...Buffer.from(token.toUpperCase())] }))
  const body = { choices: [{ logprobs: { content: tokens, tokens: ['an', 'other'] } }], logprobs: { tokens: ['x'] } }
  const joined = project(body).filter(({ pointer }) => pointer === '/choices/0/logprobs')
  assert.deepEqual(
    joined.map(({ author, text }) => [author, text]),
    [
      ['assistant', 'secret!'],
      ['assistant', 'SECRET!'],
      ['assistant', 'another'],
    ],
  )
})

const LONG: readonly (readonly [what: string, body: unknown])[] = [
  ['one long key above many texts', { ['k'.repeat(400_000)]: Array.from({ length: 3000 }, (_, index) => `a${index}`) }],
  [
    'many levels of long keys',
    Array.from({ length: 90 }).reduce((inside, _, level) => ({ [`${'k'.repeat(1000)}${level}`]: inside }), ['a', 'b']),
  ],
  [
    'many long keys',
    Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`${'k'.repeat(500)}${index}`, 'x'])),
  ],
]
for (const [what, body] of LONG) {
  test(`pointers stay short, and differ: ${what}`, () => {
    const pointers = project(body).map(({ pointer }) => pointer)
    assert.ok(pointers.every(({ length }) => length < 400))
    assert.equal(new Set(pointers).size, pointers.length)
  })
}
