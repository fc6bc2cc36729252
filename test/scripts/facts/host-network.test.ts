/** What a host is reached by, from the words of its own tools. */
import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { test } from 'node:test'
import { type HostNetwork, parseNetwork } from '../../../scripts/facts/host-network.ts'
import { hostTraitsFact } from '../../../scripts/facts/host-trait.ts'
import { factsHere } from '../known-host.ts'

const nothing: HostNetwork = { name: 'localhost', names: [], addresses: [], resolvers: [] }

const rows: readonly Readonly<{ name: string; text: readonly string[]; says: Partial<HostNetwork> }>[] = [
  { name: 'nothing', text: [''], says: {} },
  { name: 'a name', text: ['name Server-1'], says: { name: 'server-1', names: ['server-1'] } },
  { name: 'a kernel that was given none', text: ['name (none)'], says: {} },
  { name: 'what is no name in a certificate', text: ['name my_server'], says: {} },
  { name: 'a number for a name', text: ['name 1234'], says: {} },
  {
    name: 'addresses of both families, sorted, each once',
    text: [
      '2: eth0    inet 10.77.1.2/24 brd 10.77.1.255 scope global eth0\\       valid_lft forever preferred_lft forever',
      '2: eth0    inet6 FD77::1:2/112 scope global \\       valid_lft forever preferred_lft forever',
      '3: wg0    inet 10.0.0.1 peer 10.0.0.9/32 scope global wg0',
      '4: ens3    inet 10.77.1.2/24 scope global ens3',
    ],
    says: { addresses: ['10.0.0.1', '10.77.1.2', 'fd77::1:2'] },
  },
  {
    name: 'addresses that will be others tomorrow',
    text: ['temporary dynamic', 'deprecated', 'tentative', 'dadfailed tentative'].map(
      (flags) => `2: eth0    inet6 2001:db8::9/64 scope global ${flags} \\       valid_lft 5sec`,
    ),
    says: {},
  },
  {
    name: 'networks of containers and virtual machines',
    text: ['docker0', 'br-0123456789ab', 'veth1234', 'virbr0', 'cni0', 'podman0'].map(
      (device) => `5: ${device}    inet 172.17.0.1/16 scope global ${device}`,
    ),
    says: {},
  },
  {
    name: 'a bridge that is the way out',
    text: ['5: vmbr0    inet 192.0.2.5/24 scope global vmbr0', '6: br-lan    inet 192.0.2.6/24 scope global br-lan'],
    says: { addresses: ['192.0.2.5', '192.0.2.6'] },
  },
  {
    name: 'the hosts file: its own names, not those of others',
    text: [
      'name gw',
      '2: eth0    inet 192.0.2.5/24 scope global eth0',
      '127.0.0.1\tlocalhost',
      '127.0.1.1 GW.example.com gw # by cloud-init',
      '192.0.2.5 gw.lan',
      '192.0.2.6 other.lan',
      '::1 ip6-localhost ip6-loopback',
    ],
    says: { name: 'gw', names: ['gw', 'gw.example.com', 'gw.lan'], addresses: ['192.0.2.5'] },
  },
  {
    name: 'resolvers',
    text: ['nameserver 169.254.169.254', 'nameserver\t127.0.0.53', 'nameserver fe80::1%eth0 '],
    says: { resolvers: ['169.254.169.254', '127.0.0.53', 'fe80::1%eth0'] },
  },
]

for (const { name, text, says } of rows) {
  test(`network: ${name}`, () => assert.deepEqual(parseNetwork(text.join('\n')), { ...nothing, ...says }))
}

test('network: this machine has a name, and addresses that are some', async () => {
  const { network, codename } = await factsHere()(hostTraitsFact)
  assert.notEqual(codename, '')
  assert.match(network.name, /^[a-z0-9.-]+$/)
  for (const address of network.addresses) assert.ok(isIP(address) > 0, address)
})
