/** The services that `logs` knows are those that have a unit in `units/`; another name is a usage error with a suggestion. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { servicesOf, unitsOfService } from '../../../scripts/journal/service.ts'

const files = readdirSync(join(import.meta.dirname, '../../../units'))
const services = servicesOf(files)
const asked = (...operands: readonly string[]) => ({ operands, options: {} }) as unknown as Invocation

test('each file of units/ but the target belongs to exactly one service', () => {
  for (const file of files.filter((name) => !name.includes('.target'))) {
    const unit = file.replace(/\.hbs$|\.d$/, '').replace('@.', '@*.')
    assert.deepEqual(
      services.filter(({ units }) => units.includes(unit)).map(({ units }) => units.filter((each) => each === unit)),
      [[unit]],
      file,
    )
  }
})

describe('a unit in units/ makes a service, without a second list', () => {
  const rows = [
    { files: ['tappass-opa.service.hbs'], name: 'opa', units: ['tappass-opa.service', 'tappass-opa-standby.service'] },
    {
      files: ['spire-agent.service'],
      name: 'spire-agent',
      units: ['spire-agent.service', 'spire-agent-standby.service'],
    },
    {
      files: ['tappass@.service.hbs', 'tappass.socket'],
      name: 'gateway',
      units: ['tappass@*.service', 'tappass.socket'],
    },
    {
      files: ['tappass-site.service', 'tappass-site.timer.hbs'],
      name: 'site',
      units: ['tappass-site.service', 'tappass-site-standby.service', 'tappass-site.timer'],
    },
    { files: ['docker.service.d', 'README.md', 'tappass.target'], name: 'docker', units: ['docker.service'] },
  ]
  for (const { files: given, name, units } of rows)
    test(name, () =>
      assert.deepEqual(
        servicesOf(given).map((each) => [each.name, each.units]),
        [[name, units]],
      ),
    )
})

test('without a name all services of tappass.target, and no engine of others', () => {
  const all = unitsOfService(asked(), services)
  assert.ok(
    all.includes('tappass.target') && all.includes('tappass@*.service') && all.includes('tappass-redis.service'),
  )
  assert.ok(!all.includes('docker.service'))
})

describe('another name is refused', () => {
  const rows = [
    ['gatway', /there is no service "gatway"; did you mean "gateway"\? \(services: .*postgres.*\)$/],
    ['Postgres', /did you mean "postgres"\?/],
    ['--unit=ssh', /there is no service "--unit=ssh" \(services: /],
    ['', /there is no service ""/],
    ['*', /there is no service "\*"/],
  ] as const
  for (const [name, what] of rows)
    test(name, () => assert.throws(() => unitsOfService(asked(name), services), { code: 64, message: what }))
})
