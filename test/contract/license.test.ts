/** Licenses: what holds, what has expired, what is none. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { checkLicense, issueLicense } from '../../contract/license.ts'
import { secretProblem } from '../../contract/secret.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const AUTHORITY = publicKey.export({ type: 'spki', format: 'pem' }).toString()
const OTHER = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString()

function licenseOf(payload: object, header: object = { alg: 'EdDSA', typ: 'JWT' }): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part(payload)}`
  return `${signed}.${sign(null, Buffer.from(signed), privateKey).toString('base64url')}`
}

const payload = { org: 'Client Corp', tier: 'enterprise', expires: '2027-01-01' }
const good = licenseOf(payload)
const [head, body, signature] = good.split('.')
const dayMs = Date.parse('2026-11-24T12:00:00Z')

const HOLDS: readonly (readonly [nowMs: number, status: string])[] = [
  [dayMs, 'valid'],
  [Date.parse('2027-01-01T23:59:59Z'), 'valid'],
  [Date.parse('2027-01-02T00:00:00Z'), 'expired'],
]
for (const [nowMs, status] of HOLDS) {
  test(`a license at ${new Date(nowMs).toISOString()} is ${status}`, () => {
    assert.deepEqual(checkLicense(good, AUTHORITY, nowMs), { status, license: payload })
  })
}

const FORGED = Buffer.from(JSON.stringify({ ...payload, tier: 'everything' })).toString('base64url')
const INVALID: readonly (readonly [what: string, token: string, authority: string | undefined])[] = [
  ['without an authority', good, undefined],
  ['of another authority', good, OTHER],
  ['with another payload', `${head}.${FORGED}.${signature}`, AUTHORITY],
  ['without a signature', `${head}.${body}.`, AUTHORITY],
  ['whose signature is spelled in another way', `${good}=`, AUTHORITY],
  ['with a part too many', `${good}.x`, AUTHORITY],
  ['that says it needs no signature', licenseOf(payload, { alg: 'none' }), AUTHORITY],
  ['that says HS256', licenseOf(payload, { alg: 'HS256' }), AUTHORITY],
  ['without an end', licenseOf({ org: 'x', tier: 'y' }), AUTHORITY],
  ['with an end that is no day', licenseOf({ ...payload, expires: 'never' }), AUTHORITY],
  ['with an end in a 13th month', licenseOf({ ...payload, expires: '2027-13-01' }), AUTHORITY],
  ['with an end on the 31st of February', licenseOf({ ...payload, expires: '2027-02-31' }), AUTHORITY],
  ['with a moment as its end', licenseOf({ ...payload, expires: '2027-01-01T00' }), AUTHORITY],
]
for (const [what, token, authority] of INVALID) {
  test(`no license: one ${what}`, () => assert.equal(checkLicense(token, authority, dayMs).status, 'invalid'))
}

test('a license that is issued holds, for the authority that issued it alone', () => {
  const token = issueLicense(payload, privateKey)
  assert.deepEqual(checkLicense(token, AUTHORITY, dayMs), { status: 'valid', license: payload })
  assert.equal(checkLicense(token, OTHER, dayMs).status, 'invalid')
  assert.equal(secretProblem('TAPPASS_LICENSE', token), undefined)
})
