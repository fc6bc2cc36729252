/** What a process tells about itself. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../../../server/config/config.ts'
import { describeGateway } from '../../../server/observability/about.ts'
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
