/** X.509-SVIDs: each row is a certificate that somebody shows, and what is said of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readExtensions } from '../../../server/svid/certificate-extension.ts'
import type { RefusalReason } from '../../../server/svid/svid-check.ts'
import { checkX509Svid } from '../../../server/svid/x509-svid.ts'
import {
  type CertificateForm,
  CRL_SIGN,
  DIGITAL_SIGNATURE,
  type Issued,
  issue,
  issueAuthority,
  KEY_CERT_SIGN,
} from './certificate-fixture.ts'

const TRUST_DOMAIN = 'example.org'
const ID = `spiffe://${TRUST_DOMAIN}/agent/one`
const HOUR_MS = 3_600_000
const nowMs = Date.now()
const authority = issueAuthority(TRUST_DOMAIN)
const nextAuthority = issueAuthority(TRUST_DOMAIN)
const foreignAuthority = issueAuthority('foreign.test')
const intermediate = issueAuthority(TRUST_DOMAIN, { issuer: authority })
const bundle = [authority.x509, nextAuthority.x509]

/** A name, what is shown beside a leaf with one good id, the reason (none: it is valid), and whether its id is told. */
type Row = readonly [
  what: string,
  form: CertificateForm,
  reason: RefusalReason | undefined,
  isIdTold: boolean,
  via?: Issued,
]

const ROWS: readonly Row[] = [
  ['one of an authority of the bundle', {}, undefined, true],
  ['one of the other authority, which is about to sign', { issuer: nextAuthority }, undefined, true],
  ['one through an intermediate', { issuer: intermediate }, undefined, true, intermediate],
  ['one with names of hosts, too', { names: ['agent.test'] }, undefined, true],
  ['one for both sides of TLS', { extendedUsage: ['serverAuth', 'clientAuth'] }, undefined, true],
  ['its intermediate is not shown', { issuer: intermediate }, 'signature', false],
  ['signed by itself', { issuer: undefined as never }, 'signature', false],
  ['of a foreign authority, with our id', { issuer: foreignAuthority }, 'signature', false],
  [
    'of a foreign authority, and its own id',
    { issuer: foreignAuthority, uris: ['spiffe://foreign.test/a'] },
    'trust_domain',
    false,
  ],
  ['a foreign id that our authority has signed', { uris: ['spiffe://foreign.test/a'] }, 'trust_domain', true],
  ['of a leaf that plays authority', { issuer: issue({ issuer: authority, uris: [ID] }) }, 'signature', false],
  ['two ids', { uris: [ID, `${ID}2`] }, 'not_one_id', false],
  ['an id and another URI', { uris: [ID, 'https://example.org/'] }, 'not_one_id', false],
  ['no URI', { uris: [], names: ['agent.test'] }, 'not_one_id', false],
  ['no names at all', { uris: [] }, 'not_one_id', false],
  ['a URI that is no SPIFFE ID', { uris: ['https://example.org/agent/one'] }, 'not_one_id', false],
  ['the id of the trust domain itself', { uris: [`spiffe://${TRUST_DOMAIN}`] }, 'not_one_id', false],
  ['an id with an escape', { uris: [`spiffe://${TRUST_DOMAIN}/a%2Fb`] }, 'not_one_id', false],
  ['an authority as a leaf', { isAuthority: true, usage: DIGITAL_SIGNATURE }, 'authority', true],
  ['may sign certificates', { usage: DIGITAL_SIGNATURE | KEY_CERT_SIGN }, 'key_usage', true],
  ['may sign revocations', { usage: DIGITAL_SIGNATURE | CRL_SIGN }, 'key_usage', true],
  ['may not sign at all', { usage: 0x20 }, 'key_usage', true],
  ['without a key usage', { usage: null }, 'key_usage', true],
  ['expired', { validToMs: nowMs - 1000 }, 'expired', true],
  ['expired, of a foreign authority', { issuer: foreignAuthority, validToMs: nowMs - 1000 }, 'signature', false],
  ['not yet valid', { validFromMs: nowMs + HOUR_MS, validToMs: nowMs + 2 * HOUR_MS }, 'not_yet_valid', true],
]

for (const [what, form, reason, isIdTold, via] of ROWS) {
  test(`${what}: ${reason ?? 'valid'}`, () => {
    const { x509 } = issue({ issuer: authority, uris: [ID], ...form })
    const certificates = [x509, ...(via === undefined ? [] : [via.x509])]
    const check = checkX509Svid({ certificates, error: undefined }, bundle, TRUST_DOMAIN, nowMs)
    assert.equal(check.status === 'refused' ? check.reason : undefined, reason)
    assert.equal(check.spiffeId, isIdTold ? (form.uris ?? [ID])[0] : undefined)
  })
}

test('what OpenSSL refuses is refused, also where we would not', () => {
  const certificates = [issue({ issuer: authority, uris: [ID] }).x509]
  const flawOf = (error: string): unknown => checkX509Svid({ certificates, error }, bundle, TRUST_DOMAIN, nowMs)
  assert.deepEqual(flawOf('INVALID_PURPOSE'), { status: 'refused', reason: 'key_usage', spiffeId: ID })
  assert.deepEqual(flawOf('CERT_REVOKED'), { status: 'refused', reason: 'signature', spiffeId: ID })
})

test('it is valid until the first certificate of its chain is not', () => {
  const shortLived = issueAuthority(TRUST_DOMAIN, { issuer: authority, validToMs: nowMs + 60_000 })
  const certificates = [issue({ issuer: shortLived, uris: [ID] }).x509, shortLived.x509]
  const check = checkX509Svid({ certificates, error: undefined }, bundle, TRUST_DOMAIN, nowMs)
  assert.equal(check.status === 'valid' && check.expiresMs, shortLived.x509.validToDate.getTime())
  const later = checkX509Svid({ certificates, error: undefined }, bundle, TRUST_DOMAIN, nowMs + 61_000)
  assert.equal(later.status === 'refused' && later.reason, 'expired')
})

test('an authority that was certified again counts, wherever its first certificate stands', () => {
  const old = issueAuthority(TRUST_DOMAIN, { validToMs: nowMs - 1000 })
  const again = issueAuthority(TRUST_DOMAIN, { again: old })
  const certificates = [issue({ issuer: old, uris: [ID] }).x509]
  const statusOf = (...authorities: readonly Issued[]): string =>
    checkX509Svid(
      { certificates, error: undefined },
      authorities.map(({ x509 }) => x509),
      TRUST_DOMAIN,
      nowMs,
    ).status
  assert.deepEqual([statusOf(old, again), statusOf(again, old), statusOf(old)], ['valid', 'valid', 'refused'])
})

test('URIs and key usage are read as OpenSSL writes them', () => {
  const { x509 } = issue({ issuer: authority, uris: [ID, 'a:b'], names: ['x'], usage: DIGITAL_SIGNATURE | CRL_SIGN })
  assert.equal(x509.subjectAltName, `URI:${ID}, URI:a:b, DNS:x`)
  assert.deepEqual(readExtensions(x509), {
    uris: [ID, 'a:b'],
    keyUsage: { hasDigitalSignature: true, hasKeyCertSign: false, hasCrlSign: true },
    isAuthority: false,
  })
})
