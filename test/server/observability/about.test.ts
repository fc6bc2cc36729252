/** What a process tells about itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../../server/config/config.ts'
import { describeGateway, licenseStatusAt } from '../../../server/observability/about.ts'
import { answerOf, createBench } from '../governance/gateway-fixture.ts'

const { gateway } = createBench(() => answerOf([]))
const config = readConfig('gateway', { TAPPASS_LICENSE: 'a.b.c', TAPPASS_REVISION: 'r1' })

test('a license that does not hold stops a start in production, and is told in development', () => {
  assert.throws(
    () => describeGateway({ ...config, environment: 'production' }, gateway.steps, gateway.ports),
    /^Error: TAPPASS_LICENSE is invalid: /,
  )
  const { license, licenseStatus, revision } = describeGateway(config, gateway.steps, gateway.ports)
  assert.deepEqual([license.tier, licenseStatus, revision], ['community', 'invalid', 'r1'])
})

test('nothing that is told is a secret', () => {
  const told = JSON.stringify(
    describeGateway({ ...config, secrets: { TAPPASS_JWT_SECRET: 'hush'.repeat(12) } }, gateway.steps, gateway.ports),
  )
  assert.ok(!told.includes('hush'))
})

const STATUS_ROWS = [
  ['2026-12-31', 'valid', '2026-12-31T23:59:59Z', 'valid'],
  ['2026-12-31', 'valid', '2027-01-01T00:00:00Z', 'expired'],
  ['2026-12-31', 'expired', '2027-01-01T00:00:00Z', 'expired'],
  [null, 'none', '2027-01-01T00:00:00Z', 'none'],
  [null, 'invalid', '2027-01-01T00:00:00Z', 'invalid'],
] as const
for (const [expires, licenseStatus, now, shown] of STATUS_ROWS) {
  test(`a license until ${expires} that was ${licenseStatus} at the start is ${shown} at ${now}`, () => {
    const about = describeGateway(readConfig('gateway', {}), gateway.steps, gateway.ports)
    const license = { org: null, tier: 'community', expires }
    assert.equal(licenseStatusAt({ ...about, license, licenseStatus }, Date.parse(now)), shown)
  })
}
