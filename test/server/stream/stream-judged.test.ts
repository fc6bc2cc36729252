/** Nothing of a chunk leaves unjudged: names, ids, keys, and what stands outside the choices, alone and spread over chunks. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chunk } from '../model-server.ts'
import { joinedTexts, receive } from './stream-fixture.ts'

const DONE = 'data: [DONE]\n\n'
const SECRET = `ghp_${'a1B2c3D4e5F6'.repeat(3)}`
const CARD = ['4242', '4242', '4242', '4242'].join('')
const head = { id: 'c', object: 'chat.completion.chunk', choices: [] as object[] }
const tool = (members: object): object => chunk({ tool_calls: [{ index: 0, ...members }] })

const PLACES: readonly (readonly [what: string, chunkOf: (text: string) => object])[] = [
  ['the name of a tool', (name) => tool({ function: { name } })],
  ['the id of a tool', (id) => tool({ id })],
  ['the role', (role) => chunk({ role })],
  ['the type of a tool', (type) => tool({ type })],
  ['a title', (title) => chunk({ annotations: [{ type: 'url_citation', url_citation: { title } }] })],
  ['an address', (url) => chunk({ annotations: [{ type: 'url_citation', url_citation: { url } }] })],
  ['a member of the chunk', (note) => ({ ...head, note })],
  ['the id of the chunk', (id) => ({ ...head, id })],
  ['a member of a member of the chunk', (note) => ({ ...head, inner: [{ note }] })],
  ['a member of the choice', (note) => ({ ...head, choices: [{ index: 0, delta: {}, note }] })],
  ['why it ends', (reason) => chunk({}, reason)],
  ['a delta nobody knows', (note) => chunk({ note })],
  ['the text', (content) => chunk({ content })],
  ['arguments of a call without number', (text) => chunk({ tool_calls: [{ function: { arguments: text } }] })],
]

for (const [what, chunkOf] of PLACES) {
  test(`a secret in one piece does not leave: ${what}`, async () => {
    const received = await receive([chunkOf(SECRET), chunk({}, 'stop'), DONE])
    assert.equal(received.error?.code, 'policy.blocked_response')
    assert.ok(!received.text.includes('ghp_'))
  })

  for (const size of [39, 20, 8, 5]) {
    test(`a secret in pieces of ${size} leaves in its first characters at most: ${what}`, async () => {
      const pieces = SECRET.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
      const received = await receive([...pieces.map(chunkOf), chunk({}, 'stop'), DONE], true)
      // What came again is known already.
      const seen = new Set(received.text.match(/ghp_\w*|(?<=")[a-zA-Z0-9]{5,}(?=")/g))
      const left = [...seen].filter((text) => SECRET.includes(text)).join('')
      assert.ok(left.length <= 8, left)
    })
  }
}

test('strings below long keys are held as others are', async () => {
  const deep = (text: string): object => ({
    delta: { ['k'.repeat(120)]: { ['l'.repeat(120)]: { ['m'.repeat(120)]: [{ index: 0, name: text }] } } },
  })
  const pieces = SECRET.match(/.{1,8}/g) ?? []
  const chunks = pieces.map((piece) => ({ ...head, choices: [{ index: 0, ...deep(piece) }] }))
  const received = await receive([...chunks, chunk({}, 'stop'), DONE], true)
  assert.equal(received.error?.code, 'policy.blocked_response')
})

const PASSWORD = ['Tr0ub4dor', '3xyz!'].join('&')
const NAMED: readonly (readonly [what: string, value: string, chunkOf: (text: string) => object])[] = [
  ['a password', PASSWORD, (password) => chunk({ password })],
  ['a password in a member', PASSWORD, (password) => chunk({ note: { password } })],
  ['a password in a list', PASSWORD, (text) => chunk({ passwords: [text] })],
  ['a password in items', PASSWORD, (text) => chunk({ password: [{ index: 0, text: '', value: text }] })],
  ['a password in a pair', PASSWORD, (value) => chunk({ env: [{ index: 0, name: 'DB_PASSWORD', value }] })],
  ['a password beside the delta', PASSWORD, (password) => ({ ...head, choices: [{ index: 0, delta: {}, password }] })],
  ['a key', `${'a1B2c3D4e5'.repeat(4)}`, (secretAccessKey) => chunk({ secretAccessKey })],
  ['a number', '219099999', (ssn) => chunk({ ssn })],
]
for (const [what, value, chunkOf] of NAMED) {
  for (const size of [1, 3, 64]) {
    test(`a value is judged behind its name, in pieces of ${size}: ${what}`, async () => {
      const pieces = value.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
      const received = await receive([...pieces.map(chunkOf), chunk({}, 'stop'), DONE], true)
      const left = Object.values(joinedTexts(received.chunks)).join(' ')
      assert.ok(received.error?.code === 'policy.blocked_response' || left.includes('[REDACTED:'), left)
      assert.ok(!left.includes(value.slice(0, 5)), left)
    })
  }
}

test('a value under a name that tells nothing of it leaves', async () => {
  for (const delta of [{ note: PASSWORD }, { order: '219099999' }, { content: PASSWORD }]) {
    const received = await receive([chunk(delta), chunk({}, 'stop'), DONE], true)
    assert.deepEqual(joinedTexts(received.chunks), joinedTexts([chunk(delta), chunk({}, 'stop')]))
  }
})

test('a secret as a key does not leave', async () => {
  for (const delta of [{ [SECRET]: 'x' }, { [SECRET]: { a: 1 } }, { list: [{ [SECRET]: 'x'.repeat(64) }] }]) {
    const received = await receive([chunk(delta), chunk({}, 'stop'), DONE])
    assert.equal(received.error?.code, 'policy.blocked_response')
    assert.ok(!received.text.includes('ghp_'))
  }
  const outside = await receive([{ ...chunk({}), [SECRET]: 1 }, chunk({}, 'stop'), DONE])
  assert.ok(!outside.text.includes('ghp_'))
})

test('a piece that repeats the one before is judged together with it', async () => {
  for (const chunkOf of [
    (name: string) => tool({ function: { name } }),
    (title: string) => chunk({ note: { title } }),
  ]) {
    const received = await receive([...(CARD.match(/.{4}/g) ?? []).map(chunkOf), chunk({}, 'stop'), DONE], true)
    assert.ok(received.text.includes('[REDACTED:pii.credit_card]'), received.text)
    assert.ok((received.text.match(/4242/g) ?? []).length <= 1, received.text)
  }
})

test('what is taken out of a string is taken out of its repetitions', async () => {
  for (const isDripped of [false, true]) {
    const sent = Array.from({ length: 5 }, () => ({ ...chunk({ content: 'a ' }), model: `of card ${CARD}` }))
    const received = await receive([...sent, chunk({}, 'stop'), DONE], isDripped)
    assert.ok(!received.text.includes(CARD))
    assert.equal(received.text.match(/of card \[REDACTED:pii.credit_card\]/g)?.length, sent.length + 1)
  }
})

test('a stream of ever new members is refused before it fills the memory', async () => {
  const chunks = Array.from({ length: 110 }, (_, at) =>
    chunk(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`member-${at}-${index}`, 'x ']))),
  )
  assert.equal((await receive([...chunks, DONE])).error?.code, 'upstream.malformed')
})

test('what is deeper or larger than can be projected is not a chunk', async () => {
  let deep: unknown = 'x'
  for (let depth = 0; depth < 120; depth++) deep = { deep }
  for (const value of [chunk({ deep }), { ...chunk({}), deep }]) {
    assert.equal((await receive([value, DONE])).error?.code, 'upstream.malformed')
  }
})
