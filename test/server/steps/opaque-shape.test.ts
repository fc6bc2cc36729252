/** Wherever a client puts bytes, those that nobody can read are noted, and pictures, sound, films and PDF are not. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { createStep } from '../../../server/steps/detect-opaque.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf } from '../pipeline/call-fixture.ts'
import { base64, bytesOf, FILES, noise, SHAPES } from './opaque-fixture.ts'

const step = createStep(testEngine())
const found = (body: object) => step.inspect(callOf(body), undefined as never)

for (const [client, body, pointer] of SHAPES) {
  for (const [what, bytes, kind] of [
    ['bytes', noise(1500), 'opaque.base64'],
    ['an archive', bytesOf('PK\x03\x04'), 'opaque.compressed'],
  ] as const) {
    test(`noted, ${what}: ${client}`, () => {
      const findings = found(body(base64(bytes)))
      assert.deepEqual(
        findings.map((finding) => [finding.kind, finding.pointer]),
        [[kind, pointer]],
      )
    })
  }
  test(`pictures, sound, films and PDF pass: ${client}`, () => {
    for (const [what, bytes] of Object.entries(FILES)) assert.deepEqual(found(body(base64(bytes))), [], what)
  })
}

test('large files pass, however they are written', () => {
  for (const [client, body] of SHAPES) {
    for (const start of ['\x89PNG\r\n\x1a\n', '\xff\xd8\xff\xe0'])
      assert.deepEqual(found(body(base64(bytesOf(start, 40_000)))), [], client)
  }
})

test('a part in front of a picture, and one of bytes', () => {
  const parts = (...texts: readonly string[]): object => ({
    messages: [{ role: 'user', content: texts.map((text) => ({ type: 'text', text })) }],
  })
  for (const before of ['look', 'Look at this', 'a']) {
    assert.deepEqual(found(parts(before, base64(FILES['PNG'] as Buffer))), [], before)
    assert.equal(found(parts(before, base64(noise(900)))).at(-1)?.pointer, '/messages/0/content/1/text', before)
  }
  const pieces = base64(noise(900)).match(/.{1,40}/g) ?? []
  assert.equal(found(parts(...pieces)).length, pieces.length)
})

const data = base64(noise(900))
const turn = (role: string, part: object): object => ({
  messages: [{ role, content: [{ type: 'text', text: 'x', ...part }] }],
})

/** What only the model has to do with, and what anybody may write. */
const MEMBERS: readonly (readonly [what: string, body: object, isNoted: boolean])[] = [
  ['sound without a file around it', turn('user', { input_audio: { format: 'pcm16', data } }), false],
  ['sound of a telephone', turn('user', { input_audio: { format: 'g711_ulaw', data } }), false],
  ['what is said to be a file of sound', turn('user', { input_audio: { format: 'mp3', data } }), true],
  ['sound of no format', turn('user', { input_audio: { data } }), true],
  ['the signature of a thought', turn('assistant', { signature: data }), false],
  ['a signature by a user', turn('user', { signature: data }), true],
  ['a thought of Gemini', turn('assistant', { extra_content: { google: { thought_signature: data } } }), false],
  ['reasoning of Responses', { input: [{ type: 'reasoning', id: 'rs_1', encrypted_content: data }] }, false],
  ['a compaction of Responses', { input: [{ type: 'compaction', encrypted_content: data }] }, false],
  ['the same inside a message of a user', turn('user', { encrypted_content: data }), true],
  [
    'a result of a search of Anthropic',
    turn('user', { type: 'web_search_tool_result', content: [{ encrypted_content: data }] }),
    false,
  ],
  ['a thought that is kept back', turn('assistant', { type: 'redacted_thinking', data }), false],
  ['metadata', { metadata: { signature: data } }, true],
]
for (const [what, body, isNoted] of MEMBERS) {
  test(`${isNoted ? 'noted' : 'passes'}: ${what}`, () => assert.equal(found(body).length, isNoted ? 1 : 0))
}

const rsa = base64(bytesOf('\0\0\0\x07ssh-rsa\0\0\0\x03\x01\0\x01\0\0\x02\x01', 513))
const READABLE: readonly (readonly [what: string, text: string])[] = [
  ['a public key of SSH', `ssh-rsa ${rsa} ann@host`],
  ['public keys of SSH, in JSON', JSON.stringify({ keys: `ssh-rsa ${rsa} ann@host\nssh-rsa ${rsa} bob@host\n` })],
  [
    'a certificate in JSON',
    JSON.stringify({
      pem: `${'-'.repeat(5)}BEGIN CERTIFICATE${'-'.repeat(5)}\n${base64(bytesOf('0\x82\x03\x84')).replace(/.{64}/g, '$&\n')}`,
    }),
  ],
  [
    'identifiers, a line each',
    Array.from({ length: 40 }, (_, row) =>
      noise(16, row)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})/, '$1-$2-$3-'),
    ).join('\n'),
  ],
]
for (const [what, text] of READABLE) {
  test(`not opaque: ${what}`, () => assert.deepEqual(found({ messages: [{ role: 'user', content: text }] }), []))
}

test('what detectors read only where it does not go on is noted in a stream', () => {
  const packed = brotliCompressSync(
    noise(900)
      .toString('base64')
      .match(/.{1,9}/g)
      ?.join(' ') ?? '',
  ).toString('base64')
  const segments = [{ pointer: '/t', author: 'assistant', text: `see ${packed} there` }] as const
  const kinds = (more: object): readonly string[] =>
    step.inspect(callOf({}, { segments, ...more }), undefined as never).map(({ kind }) => kind)
  assert.deepEqual(kinds({ stage: 'response', text: '' }), [])
  assert.deepEqual(kinds({ stage: 'request' }), [])
  assert.deepEqual(kinds({ stage: 'response' }), ['opaque.base64'])
})
