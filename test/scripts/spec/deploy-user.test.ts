/** The deploy user and its keys: what is taken, and that nothing that was written is repeated where it is wrong. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { problemOfPublicKey } from '../../../scripts/spec/ssh-public-key.ts'

/** The wire format of RFC 4251: each string with its length before it. */
const wire = (...fields: readonly (string | Buffer)[]): string =>
  Buffer.concat(
    fields.map((field) => {
      const bytes = Buffer.from(field as string)
      const length = Buffer.alloc(4)
      length.writeUInt32BE(bytes.length)
      return Buffer.concat([length, bytes])
    }),
  ).toString('base64')

const rsa = (bits: number): string => {
  const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' })
  return wire('ssh-rsa', Buffer.from(e, 'base64url'), Buffer.concat([Buffer.alloc(1), Buffer.from(n, 'base64url')]))
}
const point = (bytes: number) => Buffer.concat([Buffer.from([4]), Buffer.alloc(bytes - 1, 7)])
const ed25519 = wire('ssh-ed25519', Buffer.alloc(32, 1))
const privateKey = ['-----BEGIN OPENSSH', 'PRIVATE KEY-----\nb3BlbnNz\n-----END OPENSSH PRIVATE KEY-----'].join(' ')

const good = [
  `ssh-ed25519 ${ed25519}`,
  `ssh-ed25519 ${ed25519} ada@laptop, the new one`,
  `ssh-rsa ${rsa(2048)} ci`,
  `ecdsa-sha2-nistp256 ${wire('ecdsa-sha2-nistp256', 'nistp256', point(65))}`,
  `ecdsa-sha2-nistp521 ${wire('ecdsa-sha2-nistp521', 'nistp521', point(133))}`,
  `sk-ssh-ed25519@openssh.com ${wire('sk-ssh-ed25519@openssh.com', Buffer.alloc(32, 1), 'ssh:')}`,
  `sk-ecdsa-sha2-nistp256@openssh.com ${wire('sk-ecdsa-sha2-nistp256@openssh.com', 'nistp256', point(65), 'ssh:')}`,
]
for (const line of good) {
  test(`public key: ${line.slice(0, 40)} is right`, () => assert.equal(problemOfPublicKey(line), undefined))
}

const bad = [
  { name: 'a private key', key: privateKey, says: /private key/ },
  { name: 'options', key: `command="true" ssh-ed25519 ${ed25519}`, says: /without options/ },
  { name: 'an option without a value', key: `restrict ssh-ed25519 ${ed25519}`, says: /line of a \.pub file|types/ },
  { name: 'two lines', key: `ssh-ed25519 ${ed25519}\nssh-ed25519 ${ed25519}`, says: /one line/ },
  { name: 'a control character', key: `ssh-ed25519 ${ed25519} a\u001b[2J`, says: /one line/ },
  { name: 'nothing', key: '', says: /line of a \.pub file/ },
  { name: 'a fingerprint', key: 'SHA256:5v0bPbpWqxk', says: /line of a \.pub file/ },
  { name: 'another type than it says', key: `ssh-rsa ${ed25519}`, says: /not a whole ssh-rsa key/ },
  { name: 'a certificate', key: `ssh-ed25519-cert-v01@openssh.com ${ed25519}`, says: /one of the types/ },
  { name: 'DSA', key: `ssh-dss ${wire('ssh-dss', 'x')}`, says: /one of the types/ },
  { name: 'one that was cut', key: `ssh-ed25519 ${ed25519.slice(0, -8)}`, says: /not a whole/ },
  { name: 'one with more behind it', key: `ssh-ed25519 ${wire('ssh-ed25519', Buffer.alloc(32), 'x')}`, says: /whole/ },
  { name: 'a short one', key: `ssh-ed25519 ${wire('ssh-ed25519', Buffer.alloc(31))}`, says: /not a valid/ },
  { name: 'RSA with 1024 bits', key: `ssh-rsa ${rsa(1024)}`, says: /at least 2048 bits/ },
  {
    name: 'another curve',
    key: `ecdsa-sha2-nistp256 ${wire('ecdsa-sha2-nistp256', 'nistp384', point(97))}`,
    says: /valid/,
  },
  { name: 'bad base64', key: 'ssh-ed25519 AAAA*', says: /line of a \.pub file/ },
]
for (const { name, key, says } of bad) {
  test(`public key: ${name} is refused with its place and without its text`, () => {
    assert.throws(
      () => parseHostSpec({ deployUser: { keys: [`ssh-ed25519 ${ed25519}`, key] } }, 'host.yaml'),
      ({ code, text }: Failure) => {
        assert.equal(code, 64)
        assert.match(text.why ?? '', /^deployUser\.keys\.1: /)
        assert.match(text.why ?? '', says)
        return key === '' || !(text.why ?? '').includes(key.slice(12, 60))
      },
    )
  })
}

const shapes = [
  { written: undefined, user: { name: 'gebruiker', keys: [] } },
  { written: 'ops', user: { name: 'ops', keys: [] } },
  { written: { name: 'ops' }, user: { name: 'ops', keys: [] } },
  {
    written: { keys: [`  ssh-ed25519   ${ed25519}  ada  `] },
    user: { name: 'gebruiker', keys: [`ssh-ed25519 ${ed25519} ada`] },
  },
]
for (const { written, user } of shapes) {
  test(`deployUser: ${JSON.stringify(written)?.slice(0, 40)}`, () => {
    assert.deepEqual(parseHostSpec(written === undefined ? {} : { deployUser: written }, 'x').deployUser, user)
  })
}

const problems = [
  { written: { name: 'root', keys: [] }, says: /deployUser\.name: must be the account of a person/ },
  { written: { key: [] }, says: /unknown key; did you mean "keys"/ },
  { written: { keys: `ssh-ed25519 ${ed25519}` }, says: /deployUser\.keys: must be a list/ },
  { written: { keys: privateKey }, says: /deployUser\.keys: must be a list/ },
  { written: { keys: [7] }, says: /deployUser\.keys\.0: must be the line/ },
  {
    written: { keys: [`ssh-ed25519 ${ed25519} a`, `ssh-ed25519 ${ed25519} b`] },
    says: /deployUser\.keys: names a key twice/,
  },
]
for (const { written, says } of problems) {
  test(`deployUser: refused: ${says.source}`, () => {
    assert.throws(
      () => parseHostSpec({ deployUser: written }, 'host.yaml'),
      ({ text }: Failure) => says.test(text.why ?? '') && !(text.why ?? '').includes('b3BlbnNz'),
    )
  })
}
