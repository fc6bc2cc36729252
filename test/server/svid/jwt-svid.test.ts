/** JWT-SVIDs: each row is a token that somebody sends, and what is said of it. */
import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync } from 'node:crypto'
import { before, test } from 'node:test'
import { exportJWK, type JWTPayload, SignJWT } from 'jose'
import { createTokenCheck, isTokenShaped, type TokenCheck } from '../../../server/svid/jwt-svid.ts'
import type { RefusalReason } from '../../../server/svid/svid-check.ts'
import { readTokenKeys } from '../../../server/svid/trust-bundle.ts'

const TRUST_DOMAIN = 'example.org'
const AUDIENCE = `spiffe://${TRUST_DOMAIN}/tappass/gateway`
const ID = `spiffe://${TRUST_DOMAIN}/agent/one`
const nowSeconds = Math.floor(Date.now() / 1000)

const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const ec384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' })
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })

const CLAIMS: JWTPayload = { sub: ID, aud: [AUDIENCE], exp: nowSeconds + 300, iat: nowSeconds }
type Sender = Readonly<{ alg?: string; kid?: string | undefined; typ?: string; key?: typeof ec.privateKey }>

function token(claims: JWTPayload, sender: Sender = {}): Promise<string> {
  const { alg = 'ES256', kid = 'ec', typ, key = ec.privateKey } = { kid: 'ec', ...sender }
  const header = { alg, ...(kid === '' ? {} : { kid }), ...(typ === undefined ? {} : { typ }) }
  return new SignJWT({ ...CLAIMS, ...claims }).setProtectedHeader(header).sign(key)
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const unsigned = (header: object, signature = ''): string => `${part(header)}.${part(CLAIMS)}.${signature}`

/** A public key as the secret of an HMAC: the oldest forgery of all. */
function confused(): string {
  const head = `${part({ alg: 'HS256', kid: 'ec' })}.${part(CLAIMS)}`
  const secret = ec.publicKey.export({ type: 'spki', format: 'pem' })
  return `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`
}

/** A name, the token, the reason (none: it is valid), and whether its id is told. */
const ROWS: readonly (readonly [string, () => Promise<string> | string, RefusalReason | undefined, boolean])[] = [
  ['as SPIRE makes it', () => token({}), undefined, true],
  ['typ JWT', () => token({}, { typ: 'JWT' }), undefined, true],
  ['typ JOSE', () => token({}, { typ: 'JOSE' }), undefined, true],
  ['ES384', () => token({}, { alg: 'ES384', kid: 'ec384', key: ec384.privateKey }), undefined, true],
  ['RS256', () => token({}, { alg: 'RS256', kid: 'rsa', key: rsa.privateKey }), undefined, true],
  ['PS512', () => token({}, { alg: 'PS512', kid: 'rsa', key: rsa.privateKey }), undefined, true],
  ['one audience as text', () => token({ aud: AUDIENCE }), undefined, true],
  ['ours among other audiences', () => token({ aud: ['spiffe://example.org/db', AUDIENCE] }), undefined, true],
  ['no algorithm', () => unsigned({ alg: 'none', kid: 'ec' }), 'algorithm', false],
  ['the public key as a secret (HS256)', confused, 'algorithm', false],
  ['no signature', () => unsigned({ alg: 'ES256', kid: 'ec' }), 'signature', false],
  ['no alg', () => unsigned({ kid: 'ec' }), 'algorithm', false],
  ['another typ', () => token({}, { typ: 'at+jwt' }), 'malformed', false],
  ['no kid', () => token({}, { kid: '' }), 'malformed', false],
  ['a kid that the bundle has not', () => token({}, { kid: 'other', key: stranger.privateKey }), 'signature', false],
  ['a kid of the bundle, and another key', () => token({}, { key: stranger.privateKey }), 'signature', false],
  ['a kid of a key for another algorithm', () => token({}, { kid: 'rsa' }), 'signature', false],
  [
    'claims changed after signing',
    async () => {
      const [head, , signature] = (await token({})).split('.')
      return `${head}.${part({ ...CLAIMS, sub: `${ID}2` })}.${signature}`
    },
    'signature',
    false,
  ],
  [
    'a foreign trust domain',
    () => token({ sub: 'spiffe://foreign.test/a' }, { kid: 'f', key: stranger.privateKey }),
    'trust_domain',
    false,
  ],
  ['a foreign id that our authority has signed', () => token({ sub: 'spiffe://foreign.test/a' }), 'trust_domain', true],
  ['another audience', () => token({ aud: ['spiffe://example.org/db'] }), 'audience', true],
  ['an audience that begins like ours', () => token({ aud: [`${AUDIENCE}2`] }), 'audience', true],
  ['no audience', () => token({ aud: undefined as never }), 'audience', true],
  ['expired', () => token({ exp: nowSeconds - 1 }), 'expired', true],
  [
    'expired, and not signed by us',
    () => token({ exp: nowSeconds - 1 }, { key: stranger.privateKey }),
    'signature',
    false,
  ],
  ['never expires', () => token({ exp: undefined as never }), 'malformed', true],
  ['exp as text', () => token({ exp: '4102444800' as never }), 'malformed', true],
  ['not yet valid', () => token({ nbf: nowSeconds + 60 }), 'not_yet_valid', true],
  ['no subject', () => token({ sub: undefined as never }), 'malformed', false],
  ['a subject that is no SPIFFE ID', () => token({ sub: 'one' }), 'not_one_id', false],
  ['the id of the trust domain itself', () => token({ sub: 'spiffe://example.org' }), 'not_one_id', false],
  ['too long', () => token({ pad: 'x'.repeat(8192) }), 'malformed', false],
  [
    'claims that are no JSON',
    async () => {
      const [head, , signature] = (await token({})).split('.')
      return `${head}.${Buffer.from('{').toString('base64url')}.${signature}`
    },
    'signature',
    false,
  ],
  [
    'an extension that must be understood',
    () => unsigned({ alg: 'ES256', kid: 'ec', crit: ['x'], x: 1 }, 'AAAA'),
    'malformed',
    false,
  ],
]

let check: TokenCheck
before(async () => {
  const jwk = async (key: typeof ec.publicKey, kid: string, use?: string): Promise<object> => ({
    ...(await exportJWK(key)),
    kid,
    ...(use === undefined ? {} : { use }),
  })
  const keys = [
    await jwk(ec.publicKey, 'ec'),
    await jwk(ec384.publicKey, 'ec384', 'jwt-svid'),
    await jwk(rsa.publicKey, 'rsa'),
  ]
  const text = JSON.stringify({ keys: [...keys, await jwk(stranger.publicKey, 'x509', 'x509-svid')] })
  check = await createTokenCheck(readTokenKeys(text, TRUST_DOMAIN), { trustDomain: TRUST_DOMAIN, audience: AUDIENCE })
})

for (const [what, make, reason, isIdTold] of ROWS) {
  test(`${what}: ${reason ?? 'valid'}`, async () => {
    const sent = await make()
    const said = await check(sent, nowSeconds * 1000)
    assert.equal(said.status === 'refused' ? said.reason : undefined, reason)
    assert.equal(said.spiffeId !== undefined, isIdTold)
  })
}

test('API keys and keys of providers are not taken for tokens', () => {
  const shaped = ['eyJh.eyJz.c2ln', 'eyJh.eyJz.', 'ey.a.b']
  const others = [
    `tp_${'a'.repeat(43)}`,
    `sk-${'a'.repeat(20)}`,
    'eyJh',
    'eyJh.eyJz',
    'eyJh.eyJz.a.b',
    'xy.a.b',
    'eyJh.e z.c',
  ]
  assert.deepEqual(shaped.map(isTokenShaped), [true, true, true])
  assert.ok(!others.some(isTokenShaped))
})
