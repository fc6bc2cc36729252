/** The setting firewall, and the rules that are made of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetFilterRules } from '../../../scripts/firewall/filter-rule.ts'
import { type AllowRule, toolCommands, toolRules } from '../../../scripts/firewall/firewall-spec.ts'
import { outboundNetworks } from '../../../scripts/firewall/outbound.ts'
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
    const made = packetFilterRules({ ssh: [2222, 22], ingress: [80, 443], ingressUdp: [443] }, allow)
    assert.deepEqual(made, {
      input: ['tcp dport { 22, 80, 443, 2222 } accept', 'udp dport { 443 } accept', ...input],
      containers,
    })
  })
}

test('packet filter: a port that is both is named once; without an ingress SSH alone is open', () => {
  assert.deepEqual(packetFilterRules({ ssh: [443], ingress: [80, 443], ingressUdp: [] }, []).input, [
    'tcp dport { 80, 443 } accept',
  ])
  assert.deepEqual(packetFilterRules({ ssh: [22], ingress: [], ingressUdp: [] }, []).input, ['tcp dport { 22 } accept'])
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
  [{ outbound: [{ port: 443 }] }, /firewall\.outbound\.0\.to/],
  [{ outbound: [{ to: ['example.com'] }] }, /firewall\.outbound\.0\.port/],
  [{ outbound: [{ port: 443, to: [] }] }, /firewall\.outbound\.0\.to/],
  [{ outbound: [{ port: 443, from: ['::1'], to: ['a'] }] }, /outbound\.0\.from: unknown key/],
  ...['10.0.0', '10.0.0.0/33', '*.example.com', 'a b', 'a;b', '-a.example', 'https://example.com', ''].map(
    (to) =>
      [
        { outbound: [{ port: 443, to: [to] }] },
        /firewall\.outbound\.0\.to\.0: must be a host name, an IP address or a network/,
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

test('firewall: storage elsewhere has to be let out to', () => {
  const written = { storage: { database: 'external' }, firewall: { outbound: [] } }
  assert.throws(
    () => parseHostSpec(written, 'host.yaml'),
    (error: Error & { text: { why: string } }) =>
      /^firewall\.outbound: has to let the host out to its storage/.test(error.text.why),
  )
})

test('firewall: networks that are let out', () => {
  const to = ['10.0.0.0/8', 'fd00::/8', 'example.com', '192.0.2.7']
  assert.deepEqual(outboundNetworks([{ port: 53, protocol: 'udp', to }]), [
    'ip daddr 10.0.0.0/8 meta l4proto 17 th dport 53 accept',
    'ip6 daddr fd00::/8 meta l4proto 17 th dport 53 accept',
  ])
})

test('firewall: what ufw and firewalld get in our rule, and what their operator keeps there', () => {
  const udp: AllowRule = { port: 53, protocol: 'udp' }
  const some = tcp(8443, ['10.0.0.0/8', 'fd00::/8'])
  assert.deepEqual(toolRules({ allow: [tcp(443), tcp(8080), udp, some] }, [80, 443]), {
    ports: [80, 443, 8080],
    others: [udp, some],
  })
  assert.deepEqual(toolRules('none', [80, 443]), { ports: [80, 443], others: [] })
  const many = Array.from({ length: 20 }, (_, index) => tcp(8000 + index))
  const { ports, others } = toolRules({ allow: many }, [80, 443])
  assert.deepEqual([ports.length, others], [15, many.slice(13)])
})

test('firewall: the commands for the operator', () => {
  const some: AllowRule = { port: 53, protocol: 'udp', from: ['10.0.0.0/8', 'fd00::/8'] }
  assert.deepEqual(toolCommands('ufw', some), [
    'ufw allow proto udp from 10.0.0.0/8 to any port 53',
    'ufw allow proto udp from fd00::/8 to any port 53',
  ])
  assert.deepEqual(toolCommands('ufw', tcp(80)), ['ufw allow proto tcp from any to any port 80'])
  assert.match(toolCommands('firewalld', tcp(80))[0] ?? '', /--add-port=80\/tcp && firewall-cmd --reload$/)
  assert.deepEqual(
    toolCommands('firewalld', some).map((command) => /family="(\w+)" source address="([^"]+)"/.exec(command)?.slice(1)),
    [
      ['ipv4', '10.0.0.0/8'],
      ['ipv6', 'fd00::/8'],
    ],
  )
})
