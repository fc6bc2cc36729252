/** The setting firewall, and the rules that are made of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetFilterRules } from '../../../scripts/firewall/filter-rule.ts'
import type { AllowRule } from '../../../scripts/firewall/firewall-spec.ts'
import { parseHostSpec } from '../../../scripts/spec/host-spec.ts'

const tcp = (port: number, from?: string[]): AllowRule => ({ port, protocol: 'tcp', ...(from && { from }) })

const rules: readonly (readonly [
  name: string,
  allow: readonly AllowRule[],
  input: readonly string[],
  containers: readonly string[],
])[] = [
  ['nothing besides', [], [], []],
  [
    'a port for everybody',
    [tcp(8080)],
    ['tcp dport 8080 accept'],
    ['ct status dnat meta l4proto 6 ct original proto-dst 8080 accept'],
  ],
  [
    'a port for some, in both families',
    [{ port: 51820, protocol: 'udp', from: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'] }],
    ['ip saddr { 10.0.0.0/8, 192.0.2.7 } udp dport 51820 accept', 'ip6 saddr { fd00::/8 } udp dport 51820 accept'],
    [
      'ct status dnat meta l4proto 17 ip saddr { 10.0.0.0/8, 192.0.2.7 } ct original proto-dst 51820 accept',
      'ct status dnat meta l4proto 17 ip6 saddr { fd00::/8 } ct original proto-dst 51820 accept',
    ],
  ],
]

for (const [name, allow, input, containers] of rules) {
  test(`packet filter: ${name}`, () => {
    const made = packetFilterRules({ ssh: [2222, 22], ingress: [80, 443] }, allow)
    assert.deepEqual(made, { input: ['tcp dport { 22, 80, 443, 2222 } accept', ...input], containers })
  })
}

test('packet filter: a port that is both is named once; without an ingress SSH alone is open', () => {
  assert.deepEqual(packetFilterRules({ ssh: [443], ingress: [80, 443] }, []).input, ['tcp dport { 80, 443 } accept'])
  assert.deepEqual(packetFilterRules({ ssh: [22], ingress: [] }, []).input, ['tcp dport { 22 } accept'])
})

const bad: readonly (readonly [firewall: unknown, complaint: RegExp])[] = [
  ['off', /firewall/],
  [{ allow: [{}] }, /firewall\.allow\.0\.port/],
  [{ allow: [{ port: 0 }] }, /firewall\.allow\.0\.port/],
  [{ allow: [{ port: 65_536 }] }, /firewall\.allow\.0\.port/],
  [{ allow: [{ port: '80; accept' }] }, /firewall\.allow\.0\.port/],
  [{ allow: [{ port: 80, protocol: 'icmp' }] }, /firewall\.allow\.0\.protocol/],
  [{ allow: [{ port: 80, from: [] }] }, /firewall\.allow\.0\.from/],
  ...[
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/',
    '::/129',
    'fe80::1%eth0',
    '10.0.0',
    'office',
    '1.2.3.4/8/8',
    '0.0.0.0/0 }',
  ].map(
    (from) =>
      [
        { allow: [{ port: 80, from: [from] }] },
        /firewall\.allow\.0\.from\.0: must be an IP address or a network/,
      ] as const,
  ),
  [{ alow: [] }, /firewall\.alow: unknown key; did you mean "allow"/],
]

for (const [firewall, complaint] of bad) {
  test(`firewall: ${JSON.stringify(firewall)} is refused`, () => {
    assert.throws(
      () => parseHostSpec({ firewall }, 'host.yaml'),
      (error: Error & { text: { why: string } }) => {
        assert.match(error.text.why, complaint)
        return true
      },
    )
  })
}
