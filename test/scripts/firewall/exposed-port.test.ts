/** What others reach, in the words of ss and systemd. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
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
      'the kernel and programs that serve above the ports of clients',
      [
        udp('0.0.0.0:51820', '').replace(/users.*/, ''),
        udp('0.0.0.0:41641', 'tailscaled'),
        udp('0.0.0.0:41641', 'named'),
      ],
      '',
      {
        ssh: [22],
        others: [
          { protocol: 'udp', port: 51820, program: '' },
          { protocol: 'udp', port: 41641, program: 'tailscaled' },
        ],
      },
    ],
    [
      'protocols without ports',
      ['raw UNCONN 0 0 0.0.0.0:112 0.0.0.0:* users:(("keepalived",pid=7,fd=3))', 'raw UNCONN 0 0 *:58 *:*'],
      '',
      { ssh: [22], others: [{ protocol: 'raw', port: 112, program: 'keepalived' }] },
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
    const stdout = `${listing.join('\n')}\n=== sockets\n${sockets}\n=== configured\n=== connection\n\n`
    assert.deepEqual(exposedPortsFact.parse({ code: 0, stdout, stderr: '' }), expected)
  })
}

const parse = (stdout: string) => exposedPortsFact.parse({ code: 0, stdout, stderr: '' })

test('exposed ports: of SSH what sshd is told to open, and what this run came in by', () => {
  const row = tcp('*:2200', 'systemd')
  assert.deepEqual(parse(`${row}\n=== sockets\n=== configured\n22\n2222\n=== connection\n2200\n`), {
    ssh: [22, 2200, 2222],
    others: [],
  })
  assert.deepEqual(parse('=== sockets\n=== configured\n0\n=== connection\nx\n').ssh, [22])
})

test('exposed ports: a container is named once, by its name; loopback and ports of no host are nothing', () => {
  const docker =
    'other 0.0.0.0:8098->6379/tcp, [::]:8098->6379/tcp, 0.0.0.0:53->53/udp, 127.0.0.1:5432->5432/tcp, 80/tcp'
  const rules = [
    '  tcp dport { 8098, 9000-9001 } counter dnat to 172.17.0.2',
    '-A DOCKER ! -i docker0 -p udp -m udp --dport 53 -j DNAT --to-destination 172.17.0.2:53',
    '-A PREROUTING -d 203.0.113.7/32 -p tcp -m multiport --dports 25,110:111 -j DNAT --to-destination 10.0.0.2',
    '-A OUTPUT -d 127.0.0.1/32 -p tcp -m tcp --dport 7000 -j DNAT --to-destination 10.0.0.2',
    '-A KUBE-SEP -p tcp -m tcp -j DNAT --to-destination 10.42.0.5:8080',
  ]
  const proxy = tcp('0.0.0.0:8098', 'docker-proxy')
  const { others } = parse(
    `${proxy}\n=== sockets\n=== configured\n=== connection\n\n=== published\n${docker}\nbare \n=== forwarded\n${rules.join('\n')}\n`,
  )
  assert.deepEqual(
    others.map(({ protocol, port, program }) => `${port}/${protocol} ${program}`),
    [
      '8098/tcp container other',
      '53/udp container other',
      ...['9000/tcp', '9001/tcp', '25/tcp', '110/tcp', '111/tcp'].map((port) => `${port} forwarded`),
    ],
  )
})

test('exposed ports: the connection is found above this process, when sudo has hidden it', () => {
  const [program, ...args] = exposedPortsFact.query.argv
  const above = ['sh', '-c', 'env -u SSH_CONNECTION "$@"; :', 'sh', program, ...args]
  const env = { PATH: `${process.env['PATH']}`, SSH_CONNECTION: '192.0.2.1 5 192.0.2.2 2022' }
  const { stdout } = spawnSync('sh', above.slice(1), { encoding: 'utf8', env })
  assert.ok(parse(stdout).ssh.includes(2022), stdout)
})
