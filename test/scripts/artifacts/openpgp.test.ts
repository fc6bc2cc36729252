/** Fingerprints of OpenPGP keys. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { primaryFingerprints } from '../../../scripts/artifacts/openpgp.ts'

const docker = readFileSync(join(import.meta.dirname, '../../../templates/docker/docker.asc'), 'utf8')
const armoured = (bytes: Buffer, head = '') =>
  `-----BEGIN PGP PUBLIC KEY BLOCK-----\n${head}\n${bytes.toString('base64').replaceAll(/(.{64})/g, '$1\n')}\n-----END PGP PUBLIC KEY BLOCK-----\n`

/** A public key packet: version 4, a time, an algorithm, and some bytes; both header formats. */
const body = Buffer.from([4, 1, 2, 3, 4, 1, ...Buffer.alloc(300, 7)])
const oldFormat = Buffer.concat([Buffer.from([0x99, body.length >> 8, body.length & 0xff]), body])
const newFormat = Buffer.concat([
  Buffer.from([0xc6, 192 + ((body.length - 192) >> 8), (body.length - 192) & 0xff]),
  body,
])

test("openpgp: Docker's key is the one that versions.yaml pins", () => {
  assert.deepEqual(primaryFingerprints(docker), ['9DC858229FC7DD38854AE2D88D81803C0EBFCD88'])
})

test('openpgp: one fingerprint whatever the packet format, the headers and the line ends', () => {
  const [expected] = primaryFingerprints(armoured(oldFormat))
  assert.match(expected ?? '', /^[0-9A-F]{40}$/)
  for (const text of [
    armoured(newFormat),
    armoured(oldFormat, 'Version: x\nComment: y\n'),
    armoured(oldFormat).replaceAll('\n', '\r\n'),
  ]) {
    assert.deepEqual(primaryFingerprints(text), [expected])
  }
})

test('openpgp: a second key is not overlooked', () => {
  assert.equal(primaryFingerprints(armoured(Buffer.concat([oldFormat, newFormat]))).length, 2)
})

const damaged = [
  ['no armour', 'hello'],
  ['cut short', armoured(oldFormat.subarray(0, 100))],
  ['not a packet', armoured(Buffer.from('hello'))],
  ['another version', armoured(Buffer.concat([oldFormat.subarray(0, 3), Buffer.from([6]), oldFormat.subarray(4)]))],
] as const

for (const [name, text] of damaged) test(`openpgp: ${name}`, () => assert.throws(() => primaryFingerprints(text)))
