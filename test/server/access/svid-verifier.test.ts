/** What is remembered of SVIDs, and until when: their own time, or a change of the trust bundle. And how many refusals the ledger gets. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { SvidRefusal } from '../../../server/access/svid-authenticator.ts'
import { createSvidRefusalRecord } from '../../../server/access/svid-refusal.ts'
import { createSvidVerifier, type SvidVerifier, type Trust } from '../../../server/access/svid-verifier.ts'
import { createRandom } from '../../../server/adapters/system.ts'
import type { Entry } from '../../../server/core/entry.ts'
import type { Ledger } from '../../../server/core/ports.ts'
import { refused } from '../../../server/svid/svid-check.ts'
import { issue, issueAuthority } from '../svid/certificate-fixture.ts'

const ID = 'spiffe://example.org/agent/one'
const authority = issueAuthority('example.org')
const nextAuthority = issueAuthority('example.org')

let nowMs: number
let trust: Trust
let verifier: SvidVerifier
const clock = { nowMs: () => nowMs, elapsedMs: () => nowMs }
beforeEach(() => {
  nowMs = Date.now()
  trust = { trustDomain: 'example.org', authorities: [authority.x509], checkToken: undefined }
  verifier = createSvidVerifier(() => trust, clock)
})

test('a chain is checked again when the bundle has changed: an authority that is gone takes its SVIDs with it', () => {
  const chain = { certificates: [issue({ issuer: authority, uris: [ID] }).x509], error: undefined }
  const said = (): unknown => {
    const check = verifier.checkChain(chain)
    return check.status === 'refused' ? check.reason : check.spiffeId
  }
  assert.equal(said(), ID)
  trust = { ...trust, authorities: [authority.x509, nextAuthority.x509] }
  assert.equal(said(), ID)
  trust = { ...trust, authorities: [nextAuthority.x509] }
  assert.equal(said(), 'signature')
  trust = { ...trust, authorities: undefined }
  assert.equal(said(), 'unavailable')
})

test('a token is checked once, until it expires or the keys change; what is refused is checked each time', async () => {
  let checks = 0
  const expiresMs = nowMs + 1000
  const checkToken = async (token: string, atMs: number) => {
    checks += 1
    if (token !== 'good' || atMs >= expiresMs) return refused('expired')
    return { status: 'valid', spiffeId: ID, expiresMs } as const
  }
  assert.deepEqual(await verifier.checkToken('good', 'h'), refused('unavailable'))
  trust = { ...trust, checkToken }
  for (let count = 0; count < 3; count++) assert.equal((await verifier.checkToken('good', 'h')).status, 'valid')
  assert.equal(checks, 1)
  for (let count = 0; count < 2; count++) assert.equal((await verifier.checkToken('bad', 'b')).status, 'refused')
  assert.equal(checks, 3)
  trust = { ...trust, checkToken: (...given) => checkToken(...given) }
  assert.equal((await verifier.checkToken('good', 'h')).status, 'valid')
  assert.equal(checks, 4)
  nowMs += 1000
  assert.deepEqual(await verifier.checkToken('good', 'h'), refused('expired'))
})

const refusal = (more: Partial<SvidRefusal>): SvidRefusal => ({
  ...{ status: 'svid_refused', credential: 'x509_svid', reason: 'signature', spiffeId: undefined, agent: undefined },
  ...more,
})

test('the ledger gets so many refusals a minute, apart for those of anybody, and all of them are counted', async () => {
  const entries: Entry[] = []
  let counted = 0
  const ledger = { append: async (entry: Entry) => void entries.push(entry) } as unknown as Ledger
  const record = createSvidRefusalRecord({
    ...{ ledger, clock, random: createRandom() },
    onRefused: () => {
      counted += 1
    },
    onError: (cause) => assert.fail(String(cause)),
  })
  const request = { id: 'req_1', path: '/models', code: 'auth.invalid' }
  for (let count = 0; count < 500; count++) await record(refusal({}), request)
  assert.deepEqual([entries.length, counted], [10, 500])
  await record(refusal({ reason: 'expired', spiffeId: ID }), request)
  assert.equal(entries.length, 11, 'forged ones do not hide signed ones')
  nowMs += 60_000
  await record(refusal({}), request)
  assert.deepEqual(entries.at(-1)?.details['not_recorded'], 490)
  await record(refusal({}), request)
  assert.deepEqual(entries.at(-1)?.details['not_recorded'], undefined)
  for (let count = 0; count < 500; count++) await record(refusal({ spiffeId: ID }), request)
  assert.equal(entries.length, 13 + 60)
})

test('a ledger that does not write does not open a door', async () => {
  const errors: unknown[] = []
  const ledger = { append: async () => Promise.reject(new Error('full')) } as unknown as Ledger
  const onError = (error: unknown): void => void errors.push(error)
  const record = createSvidRefusalRecord({ ledger, clock, random: createRandom(), onRefused: () => {}, onError })
  await record(refusal({}), { id: 'req_1', path: '/models', code: 'auth.invalid' })
  assert.equal(errors.length, 1)
})
