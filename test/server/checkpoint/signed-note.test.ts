/** Notes and keys: what a key has signed is read, and nothing else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readCheckpoint, signCheckpoint } from '../../../server/checkpoint/checkpoint.ts'
import { openNote, readPublicKey, signNote, verifierKey } from '../../../server/checkpoint/signed-note.ts'
import { createSigningKey } from '../ledger/signing-fixture.ts'

const { signer, publicPem } = createSigningKey()
const other = createSigningKey()
const NAME = 'example.com/log'
const TEXT = 'first line\n\nthird line\n'
const note = signNote(signer, NAME, TEXT)
const signature = note.slice(note.lastIndexOf('\u2014'))

test('a note gives its text, empty lines included', () => assert.equal(openNote(note, NAME, signer.publicKey), TEXT))

test('signatures of other keys beside it do not matter', () => {
  const more = signNote(other.signer, NAME, TEXT)
  const both = note + more.slice(more.lastIndexOf('\u2014'))
  for (const key of [signer, other.signer]) assert.equal(openNote(both, NAME, key.publicKey), TEXT)
})

/** Returns the note with the last bit of its signature's last character set; 68 bytes leave it, and another, unused. */
function inAnotherSpelling(text: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  return text.replace(/(.)(=\n)$/, (_, last: string, end: string) => `${alphabet[alphabet.indexOf(last) + 1]}${end}`)
}

const NOT_SIGNED: readonly (readonly [what: string, note: string, name?: string])[] = [
  ['another text', note.replace('third', 'fourth')],
  ['another name', note, 'example.com/other'],
  [
    'a signature that was changed',
    note.replace(
      /(.{8})(.)(.*\n)$/,
      (_, head: string, sign: string, end: string) => `${head}${sign === 'A' ? 'B' : 'A'}${end}`,
    ),
  ],
  ['a signature in another spelling: a bit is set that base64 leaves unused', inAnotherSpelling(note)],
  ['no signature', `${TEXT}\n`],
  ['no empty line', TEXT + signature],
  ['no line end', note.slice(0, -1)],
  ['nothing', ''],
]
for (const [what, changed, name = NAME] of NOT_SIGNED) {
  test(`not signed: ${what}`, () => assert.equal(openNote(changed, name, signer.publicKey), undefined))
}

const KEYS: readonly (readonly [form: string, text: string])[] = [
  ['PEM', publicPem],
  ['base64', signer.publicKey.toString('base64')],
  ['name+id+key', verifierKey(NAME, signer.publicKey)],
]
for (const [form, text] of KEYS) {
  test(`a public key is read as ${form}`, () => assert.deepEqual(readPublicKey(`${text}\n`), signer.publicKey))
}
for (const text of [
  '',
  'no key',
  Buffer.alloc(31).toString('base64'),
  '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
]) {
  test(`no public key: ${text.slice(0, 20)}`, () => assert.equal(readPublicKey(text), undefined))
}

test('a key whose base64 has plus signs is read in each form', () => {
  const key = Buffer.alloc(32, 0xfb)
  assert.equal(key.toString('base64').match(/\+/g)?.length, 11)
  assert.deepEqual(readPublicKey(key.toString('base64')), key)
  assert.deepEqual(readPublicKey(verifierKey(NAME, key)), key)
})

test('a checkpoint says what was signed', () => {
  const checkpoint = {
    chain: '1-01ABC',
    size: 7,
    root: Buffer.alloc(32, 1),
    head: 'a'.repeat(64),
    time: '2026-11-26T10:00:00.000Z',
    clock: 'chrony, database +0.1 ms, set +0.0 ms',
  }
  const signed = signCheckpoint(signer, checkpoint)
  assert.deepEqual(readCheckpoint(signed, signer.publicKey), checkpoint)
  assert.equal(readCheckpoint(signed, other.signer.publicKey), undefined)
  assert.equal(readCheckpoint(signNote(signer, 'tappass/1', 'tappass/1\n7\n'), signer.publicKey), undefined)
})
