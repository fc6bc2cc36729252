/** detect_opaque notes what nobody can read, once in each text, and lets pass what clients send: pictures, sound, PDF, keys. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { createStep } from '../../../server/steps/detect-opaque.ts'
import { testEngine } from '../detection/engine-fixture.ts'
import { callOf, inspectText } from '../pipeline/call-fixture.ts'
import { base64, bytesOf, lines, noise } from './opaque-fixture.ts'

const step = createStep(testEngine())

const kinds = async (text: string): Promise<readonly string[]> =>
  (await inspectText(step, text)).map(({ kind }) => kind)

const dashes = '-'.repeat(5)
const armoured = (sort: string, bytes: Buffer): string =>
  `${dashes}BEGIN ${sort}${dashes}\n${lines(base64(bytes))}\n${dashes}END ${sort}${dashes}`
const PROSE = 'The quick brown fox jumps over the lazy dog, and then some more of it follows. '.repeat(12)
const ROWS = Array.from({ length: 400 }, (_, row) => `row ${row} of all of them has ${(row * row) % 991} apples`).join(
  '\n',
)
const BOMB = gzipSync(Buffer.alloc(8 * 1024 * 1024, 'a'))

const OPAQUE: readonly (readonly [kind: string, name: string, text: string])[] = [
  ['base64', 'bytes', base64(noise(600))],
  ['base64', 'bytes in the other alphabet', noise(600).toString('base64url')],
  ['base64', 'bytes in lines', lines(base64(noise(900)))],
  ['base64', 'bytes in base64 twice', base64(base64(noise(600)))],
  ['base64', 'bytes behind a first line that is no key of anything', armoured('THING', noise(900))],
  ['base64', 'bytes in a data: URI that calls them a picture', `data:image/png;base64,${base64(noise(900))}`],
  ['hexadecimal', 'bytes', noise(600).toString('hex')],
  ['compressed', 'compressed noise', base64(gzipSync(noise(900)))],
  ['compressed', 'an archive', base64(bytesOf('PK\x03\x04'))],
  ['compressed', 'a short run that unpacks to far more than anybody writes', base64(BOMB).slice(0, 400_000)],
  ['encrypted', 'an OpenPGP message', armoured('PGP MESSAGE', noise(300))],
  ['encrypted', 'age', armoured('AGE ENCRYPTED FILE', Buffer.from('age-encryption.org/v1\n-> X25519 abc'))],
  ['encrypted', 'openssl enc', base64(`Salted${'_'.repeat(2)}${noise(40).toString('latin1')}`)],
  ['encrypted', 'Ansible', '$ANSIBLE_VAULT;1.1;AES256\n6162'],
  ['nested', 'text in base64 four times', base64(base64(base64(base64('a text that is long enough for this'))))],
  ['binary', 'bytes as text', noise(900).toString('latin1')],
  ['binary', 'bytes that were no UTF-8', noise(900).toString()],
]
for (const [kind, name, text] of OPAQUE) {
  test(`opaque.${kind}: ${name}`, async () => assert.deepEqual(await kinds(`see ${text} there`), [`opaque.${kind}`]))
}

const READABLE: readonly (readonly [name: string, text: string])[] = [
  ['prose in base64', base64(PROSE)],
  [
    'prose in another script, in base64',
    base64('Планты превращают свет в энергию, и это происходит в два этапа. '.repeat(20)),
  ],
  ['prose in hexadecimal', Buffer.from(PROSE).toString('hex')],
  ['prose in UTF-16', base64(Buffer.from(PROSE, 'utf16le'))],
  ['prose, compressed', base64(gzipSync(ROWS))],
  ['prose, compressed by zlib', base64(deflateSync(ROWS))],
  ['prose, compressed without a frame', base64(deflateRawSync(ROWS))],
  ['letters before prose in base64', `xy${base64(PROSE)}`],
  ['hashes', Array.from({ length: 40 }, (_, row) => createHash('sha512').update(`${row}`).digest('hex')).join('\n')],
  ['hashes of a lock file', Array.from({ length: 40 }, (_, row) => `sha512-${base64(noise(64, row))}`).join('\n')],
  ['a certificate', armoured('CERTIFICATE', bytesOf('0\x82\x03\x84'))],
  ['a certificate in base64', base64(armoured('CERTIFICATE', bytesOf('0\x82\x03\x84')))],
  ['an OpenPGP public key', armoured('PGP PUBLIC KEY BLOCK', bytesOf('\x99\x01\x0d\x04'))],
  ['digits', '3141592653589793238462643383279502884197'.repeat(20)],
  ['genes', 'GATTACAGGCTA'.repeat(80)],
  ['a line', '-'.repeat(2000)],
  ['a long name', 'aVeryLongNameOfSomething'.repeat(40)],
  ['a program that was made small', 'function a(b,c){return b.d(c)?e[f].g(h):i&&j(k,l)};'.repeat(40)],
  ['a map of sources', `"mappings":"${'AAAA,SAASA,EAAYC,GACnB,OAAOA,EAAE;'.repeat(40)}"`],
  ['colours of a terminal', '\x1b[32mok\x1b[0m test passed\n'.repeat(40)],
]
for (const [name, text] of READABLE) {
  test(`not opaque: ${name}`, async () => assert.deepEqual(await kinds(`see ${text} there`), []))
}

test('a picture in HTML passes', async () => {
  assert.deepEqual(await kinds(`<img src="data:image/gif;base64,${base64(bytesOf('GIF89a'))}">`), [])
})

test('what a model server made and wants back passes', async () => {
  const content = [
    { type: 'thinking', thinking: 'so', signature: base64(noise(900)) },
    { type: 'redacted_thinking', data: base64(noise(900)) },
  ]
  const body = {
    messages: [{ role: 'assistant', content }],
    input: [{ type: 'reasoning', encrypted_content: base64(noise(900)) }],
  }
  assert.deepEqual(await step.inspect(callOf(body), undefined as never), [])
})

test('one finding in each text, where the first one is', async () => {
  const text = `see ${base64(noise(600))} and ${base64(noise(600, 2))}`
  const [finding, ...others] = await inspectText(step, text)
  assert.deepEqual([finding?.span, others], [[4, 804], []])
})

test('a bomb in front does not keep what stands behind it from being read, or told', async () => {
  const bombs = `${base64(gzipSync(Buffer.alloc(200_000, 'a')))} `.repeat(20)
  assert.deepEqual(await kinds(`${bombs}${base64(gzipSync(PROSE))}`), ['opaque.compressed'])
})
