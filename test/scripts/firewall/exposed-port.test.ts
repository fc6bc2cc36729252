/** What others reach, in the words of ss and systemd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ExposedPorts, exposedPortsFact } from '../../../scripts/firewall/exposed-port.ts'

const tcp = (local: string, program = '') =>
  `tcp LISTEN 0 128 ${local} 0.0.0.0:*${program === '' ? '' : ` users:(("${program}",pid=7,fd=3))`}`
const udp = (local: string, program: string) => `udp UNCONN 0 0 ${local} 0.0.0.0:* users:(("${program}",pid=7,fd=3))`
const socket = (active: string, ...ports: readonly number[]) =>
  `${ports.map((port) => `Listen=[::]:${port} (Stream)`).join('\n')}\nActiveState=${active}`

const rows: readonly (readonly [name: string, listing: readonly string[], sockets: string, expected: ExposedPorts])[] =
  [
    ['sshd alone', [tcp('0.0.0.0:22', 'sshd'), tcp('[::]:22', 'sshd')], '', { ssh: [22], others: [] }],
    ['sshd on two ports', [tcp('*:2222', 'sshd'), tcp('*:22', 'sshd')], '', { ssh: [22, 2222], others: [] }],
    ['systemd holds the port', [tcp('*:2222', 'systemd')], socket('active', 2222), { ssh: [2222], others: [] }],
    ['a socket unit that is off', [tcp('*:22', 'sshd')], socket('inactive', 2222), { ssh: [22], others: [] }],
    [
      'one off, one on',
      [tcp('*:2200', 'systemd')],
      `${socket('inactive', 22)}\n\n${socket('active', 2200)}`,
      { ssh: [2200], others: [] },
    ],
    ['no SSH server is seen', [], '', { ssh: [22], others: [] }],
    ['ss has nothing to say', [''], '', { ssh: [22], others: [] }],
    [
      'loopback is reached by nobody else',
      [
        tcp('127.0.0.1:9620', 'node'),
        tcp('127.0.0.53%lo:53', 'systemd-resolve'),
        tcp('[::1]:5432', 'postgres'),
        tcp('[::ffff:127.0.0.1]:8080', 'java'),
        udp('127.0.0.1:323', 'chronyd'),
      ],
      '',
      { ssh: [22], others: [] },
    ],
    [
      'both families are one port',
      [tcp('0.0.0.0:80', 'nginx'), tcp('[::]:80', 'nginx'), tcp('192.0.2.7:53', 'named'), udp('192.0.2.7:53', 'named')],
      '',
      {
        ssh: [22],
        others: [
          { protocol: 'tcp', port: 80, program: 'nginx' },
          { protocol: 'tcp', port: 53, program: 'named' },
          { protocol: 'udp', port: 53, program: 'named' },
        ],
      },
    ],
    [
      'clients that wait for answers',
      [
        udp('0.0.0.0:68', 'dhclient'),
        udp('[fe80::1]%eth0:546', 'systemd-network'),
        udp('0.0.0.0:5355', 'systemd-resolve'),
        udp('0.0.0.0:41000', 'named'),
      ],
      '',
      { ssh: [22], others: [] },
    ],
    [
      'a program that is not seen',
      [tcp('0.0.0.0:2049')],
      '',
      { ssh: [22], others: [{ protocol: 'tcp', port: 2049, program: '' }] },
    ],
  ]

for (const [name, listing, sockets, expected] of rows) {
  test(`exposed ports: ${name}`, () => {
    const stdout = `${listing.join('\n')}\n=== ssh\n${sockets}\n`
    assert.deepEqual(exposedPortsFact.parse({ code: 0, stdout, stderr: '' }), expected)
  })
}
