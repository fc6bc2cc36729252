/** The rotation of the authority of SPIRE's server: which steps each state needs, so that a run that was killed anywhere is gone on with. What the steps do: `test/lab/bootstrap-identity.test.ts`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spireRotation } from '../../../scripts/resources/spire-rotation.ts'
import type { RotationMode } from '../../../scripts/secrets/secret-rotation.ts'
import { type SpireAuthorities, spireAuthoritiesFact } from '../../../scripts/secrets/spire-authority.ts'
import { argvOf, factReaderOf, factRow } from '../known-host.ts'

const none = { isX509Prepared: false, isJwtPrepared: false }
const both = { isX509Prepared: true, isJwtPrepared: true }
const half = { isX509Prepared: true, isJwtPrepared: false }
const round = ['prepare', 'activate', 'retire']

const ROWS: readonly (readonly [
  name: string,
  mode: RotationMode,
  found: Partial<SpireAuthorities> | undefined,
  steps: readonly string[],
])[] = [
  ['older than asked for', 'overlap', {}, ['prepare']],
  ['killed between the two', 'overlap', half, ['prepare']],
  ['begun already', 'overlap', both, []],
  ['young', 'overlap', { createdAt: 1000 }, []],
  ['no server', 'overlap', undefined, []],
  ['prepared', 'finish', both, ['activate']],
  ['killed between the two', 'finish', { isJwtPrepared: true, createdAt: 1000 }, ['activate']],
  ['nothing was begun', 'finish', {}, []],
  ['exposed', 'compromised', {}, round],
  ['exposed, and the next one, too', 'compromised', both, [...round, ...round]],
  ['exposed, while the one before is trusted', 'compromised', { isOldTrusted: true }, ['retire', ...round]],
  ['killed before the end', 'compromised', { createdAt: 1000, isOldTrusted: true }, ['retire']],
  ['at the end', 'compromised', { createdAt: 1000 }, []],
]

for (const [name, mode, found, steps] of ROWS) {
  test(`SPIRE rotation: ${mode}: ${name}`, async () => {
    const state = found && { createdAt: 999, ...none, isOldTrusted: false, ...found }
    const resource = spireRotation({ ids: ['spire-ca'], storedBefore: 1000, mode })
    const changes = await resource.plan(factReaderOf([factRow(spireAuthoritiesFact, state)]))
    assert.deepEqual(
      argvOf(changes).flatMap((argv) => argv.slice(8)),
      steps,
    )
  })
}

/** The certificate of an authority, made by SPIRE 1.15.3. */
const CERTIFICATE = [
  'MIICADCCAaagAwIBAgIRAKTNjCq+ObBWAnPW+hgHbsEwCgYIKoZIzj0EAwIwUDELMAkGA1UEBhMCVVMxDzANBgNVBAoTBlNQSUZG',
  'RTEwMC4GA1UEBRMnMjE5MDYwNjU1MDg4NTI1MDczMDEzOTA1OTM0Njc0NzY5MTc4MzA1MB4XDTI2MTEyNzE5NDQ1N1oXDTI3MDIy',
  'NTE5NDUwN1owUDELMAkGA1UEBhMCVVMxDzANBgNVBAoTBlNQSUZGRTEwMC4GA1UEBRMnMjE5MDYwNjU1MDg4NTI1MDczMDEzOTA1',
  'OTM0Njc0NzY5MTc4MzA1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFd493mVRXQAl4CjWR6bdxuSj6obdUNLewHj26tAhFwm4',
  'NKqm2i0Loif242dbs694Q60u8innj4LRyVVXNYaTv6NhMF8wDgYDVR0PAQH/BAQDAgEGMA8GA1UdEwEB/wQFMAMBAf8wHQYDVR0O',
  'BBYEFG4duiT8JYvtqW7hY/TlArjaHEXPMB0GA1UdEQQWMBSGEnNwaWZmZTovL3guZXhhbXBsZTAKBggqhkjOPQQDAgNIADBFAiBg',
  'm0UlAC3ynT242sUnThkfahLhSEC8DqEwztHBfj7lUQIhAIwHSDA8AcbyPBB62v/YfruPSKRv4baPGXowaYSZF4tn',
].join('')
const ACTIVE = '6e1dba24fc258beda96ee163f4e502b8da1c45cf'

type Ids = Readonly<Partial<Record<'active' | 'prepared' | 'old', string>>>
/** As SPIRE says it: a line for X.509, one for JWT, and the bundle; empty lines between. */
const said = (x509: Ids, jwt: Ids, keys: readonly string[]): string => {
  const shown = (ids: Ids) =>
    Object.fromEntries(
      Object.entries(ids).map(([which, id]) => [which, { authority_id: id, expires_at: '1803584707' }]),
    )
  const bundle = {
    jwt_authorities: keys.map((id) => ({ key_id: id, tainted: false })),
    x509_authorities: [{ asn1: CERTIFICATE, tainted: false }],
  }
  return [shown(x509), shown(jwt), bundle].map((each) => JSON.stringify(each)).join('\n\n')
}
const createdAt = Date.parse('2026-11-27T19:45:07Z') / 1000
const gone = ACTIVE.replace('6e', '00')

const SAID: readonly (readonly [name: string, stdout: string, state: SpireAuthorities | undefined])[] = [
  ['one', said({ active: ACTIVE }, { active: 'a' }, ['a']), { createdAt, ...none, isOldTrusted: false }],
  [
    'a next one',
    said({ active: ACTIVE, prepared: gone }, { active: 'a' }, ['a']),
    { createdAt, ...half, isOldTrusted: false },
  ],
  [
    'one before, trusted no more',
    said({ active: ACTIVE, old: gone }, { active: 'a', old: 'b' }, ['a']),
    { createdAt, ...none, isOldTrusted: false },
  ],
  [
    'a key of JWT before',
    said({ active: ACTIVE, old: gone }, { active: 'a', old: 'b' }, ['a', 'b']),
    { createdAt, ...none, isOldTrusted: true },
  ],
  ['one whose certificate is not there', said({ active: gone }, { active: 'a' }, ['a']), undefined],
  ['no server', '', undefined],
  ['a server that says something else', 'x\ny\nz\n', undefined],
]
for (const [name, stdout, state] of SAID) {
  test(`SPIRE rotation: what the server says: ${name}`, () =>
    assert.deepEqual(spireAuthoritiesFact.parse({ code: 0, stdout, stderr: '' }), state))
}
