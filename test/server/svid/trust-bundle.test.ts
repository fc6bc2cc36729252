/** Trust bundles as they come: PEM of authorities, JWK sets, what spiffe-helper writes, and what is none of these. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { readCertificates, readTokenKeys } from '../../../server/svid/trust-bundle.ts'
import { issueAuthority } from './certificate-fixture.ts'

const { certificate } = issueAuthority('example.org')
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const jwk = publicKey.export({ format: 'jwk' })
const key = (more: object = {}): object => ({ ...jwk, kid: 'one', ...more })
const encoded = (bundle: object): string => Buffer.from(JSON.stringify(bundle)).toString('base64')

test('certificates of a PEM file, with text around them', () => {
  assert.equal(readCertificates(certificate).length, 1)
  assert.equal(readCertificates(`# authorities\r\n${certificate.replaceAll('\n', '\r\n')}\n${certificate}`).length, 2)
})

const CERTIFICATES: readonly (readonly [what: string, pem: string, problem: RegExp])[] = [
  ['nothing', '', /no certificate/],
  ['text', 'hello', /no certificate/],
  ['a key', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /no certificate/],
  ['the end is missing', `${certificate}${certificate.slice(0, -30)}`, /cut off/],
  ['a certificate of noise', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', /./],
]
for (const [what, pem, problem] of CERTIFICATES)
  test(`no certificates: ${what}`, () => void assert.throws(() => readCertificates(pem), problem))

const KEYS: readonly (readonly [what: string, text: string, ids: readonly string[]])[] = [
  ['a JWK set', JSON.stringify({ keys: [key()] }), ['one']],
  [
    'a SPIFFE bundle, which has authorities of certificates, too',
    JSON.stringify({ spiffe_sequence: 1, keys: [key({ use: 'jwt-svid' }), key({ kid: 'two', use: 'x509-svid' })] }),
    ['one'],
  ],
  [
    'as spiffe-helper writes it',
    JSON.stringify({
      'foreign.test': encoded({ keys: [key({ kid: 'f' })] }),
      'example.org': encoded({ keys: [key()] }),
    }),
    ['one'],
  ],
  ['as spire-agent prints it', JSON.stringify({ 'spiffe://example.org': encoded({ keys: [key()] }) }), ['one']],
  [
    'keys that are of no use are left out',
    JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 's' }, jwk, key({ kid: 3 }), key()] }),
    ['one'],
  ],
]
for (const [what, text, ids] of KEYS) {
  test(`keys: ${what}`, () => {
    const keys = readTokenKeys(text, 'example.org')
    assert.deepEqual(
      keys.map(({ kid }) => kid),
      ids,
    )
    assert.ok(keys.every((each) => !('use' in each)))
  })
}

const NO_KEYS: readonly (readonly [what: string, text: string])[] = [
  ['nothing', ''],
  ['no JSON', '{"keys": ['],
  ['a list', '[]'],
  ['no keys', JSON.stringify({ keys: [] })],
  ['a private key', JSON.stringify({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'one' }] })],
  ['a secret', JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'one' }] })],
  ['another trust domain', JSON.stringify({ 'foreign.test': encoded({ keys: [key()] }) })],
  ['base64 of something else', JSON.stringify({ 'example.org': 'AAAA' })],
]
for (const [what, text] of NO_KEYS)
  test(`no keys: ${what}`, () => void assert.throws(() => readTokenKeys(text, 'example.org')))
