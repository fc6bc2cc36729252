/** The setting `traces`: what is accepted, and what it becomes on a host. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Failure } from '../../../scripts/core/failure.ts'
import { render } from '../../../scripts/core/template.ts'
import { egressRules } from '../../../scripts/firewall/egress-rule.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'
import { readConfig } from '../../../server/config/config.ts'
import { text } from '../roles/blank-host.ts'

/** What the gateway reads of the settings of a host. */
const tracesOf = (traces: object) => {
  const file = render(text('templates/gateway.env.hbs'), { ...parseHostSpec({ traces }, 'x') })
  const lines = file.split('\n').filter((line) => line.startsWith('OTEL_'))
  return readConfig('gateway', Object.fromEntries(lines.map((line) => line.split('=', 2)))).traces
}

const DEFAULTS = {
  endpoint: 'http://127.0.0.1:4318',
  protocol: 'http/protobuf',
  headers: {},
  serviceName: 'tappass',
  sampler: 'parentbased_always_on',
  share: 1,
} as const

for (const [traces, becomes] of [
  [{}, undefined],
  [{ sampler: 'always_on' }, undefined],
  [{ endpoint: 'http://127.0.0.1:4318' }, DEFAULTS],
  [
    {
      endpoint: 'https://c.example:4317',
      protocol: 'grpc',
      serviceName: 'gw.one',
      sampler: 'traceidratio',
      share: 0.01,
    },
    {
      ...{ endpoint: 'https://c.example:4317', protocol: 'grpc', serviceName: 'gw.one' },
      ...{ sampler: 'traceidratio', share: 0.01, headers: {} },
    },
  ],
] as const)
  test(`traces: ${JSON.stringify(traces)} reaches the gateway`, () => assert.deepEqual(tracesOf(traces), becomes))

for (const [traces, says] of [
  [{ endpoint: 'c.example:4317' }, /traces\.endpoint: must be an http\(s\) URL/],
  [{ endpoint: 'https://user:word@c.example' }, /traces\.endpoint: must not hold a user or a password/],
  [{ protocol: 'http/json' }, /traces\.protocol/],
  [{ sampler: 'jaeger' }, /traces\.sampler/],
  [{ share: 2 }, /traces\.share/],
  [{ serviceName: 'a\nB=c' }, /traces\.serviceName: must be letters/],
  [{ headers: 'a=b' }, /traces\.headers: unknown key/],
] as const)
  test(`traces: ${JSON.stringify(traces)} is a usage failure that names it`, () =>
    assert.throws(
      () => parseHostSpec({ traces }, 'x'),
      ({ code, text: { why } }: Failure) => code === 64 && says.test(`${why}`),
    ))

test('a collector in a network that is denied otherwise is let through', () =>
  assert.match(egressRules([undefined, 'http://169.254.10.5:4318'], []), /\nIPAddressAllow=169\.254\.10\.5$/))
