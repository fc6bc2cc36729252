/**
 * One run on many hosts, over real sshds: one that hangs, one that refuses, one that says nothing, one with another key and one with a
 * wrong specification cost the others nothing. The specification asks for more disk than any machine has, so nothing is changed. Needs: sshd.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type Server as SocketServer } from 'node:net'
import { after, before, test } from 'node:test'
import { parse } from 'yaml'
import { parseInventory } from '../../../scripts/inventory/inventory.ts'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

const [GOOD, HANGING, OTHER_KEY, OWN_SPEC] = [0, 1, 2, 3]
let servers: readonly SshServer[]
let silent: SocketServer
let silentPort: number
let connections = 0
let words: readonly string[]

const at = (index: number): SshServer => servers[index] as SshServer
const nameAt = (port: number) => `${at(GOOD).address.user}@127.0.0.1:${port}`
const nameOf = (index: number) => nameAt(at(index).address.port)

before(async () => {
  servers = await Promise.all([GOOD, HANGING, OTHER_KEY, OWN_SPEC].map(() => startSshServer()))
  silent = createServer(() => connections++)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  silentPort = (silent.address() as { port: number }).port
  const key = readFileSync(at(GOOD).file('identity.pub'), 'utf8')
  for (const [index, server] of servers.entries())
    server.file('authorized', index === HANGING ? `command="tail -f /dev/null" ${key}` : key)
  const known = servers.map((server, index) => {
    const lines = readFileSync(server.file('known_hosts'), 'utf8')
    return index === OTHER_KEY ? lines.replaceAll(/ AAAA\S+/g, ` ${at(GOOD).hostKeys.ed25519.split(' ')[1]}`) : lines
  })
  const { file } = at(GOOD)
  words = [
    ...['--identity', file('identity'), '--known-hosts', file('all', known.join(''))],
    ...['--config', file('host.yaml', 'preflight: { diskFreeMegabytesMin: 1000000000 }\n')],
  ]
})
after(() => {
  silent.close()
  for (const server of servers) server.stop()
})

const inventory = (hosts: readonly string[]) => at(GOOD).file('hosts.yaml', `hosts:\n${hosts.join('\n')}\n`)

test('a host that hangs, refuses, says nothing, has another key or a wrong specification costs the others nothing', async () => {
  at(GOOD).file('wrong.yaml', 'instances: many\n')
  const hosts = [silentPort, ...[HANGING, OTHER_KEY, OWN_SPEC, GOOD].map((index) => at(index).address.port), 1]
  const path = inventory(
    hosts.map(
      (port) =>
        `- { address: '${nameAt(port)}'${port === at(OWN_SPEC).address.port ? `, config: ${at(GOOD).file('wrong.yaml')}` : ''} }`,
    ),
  )
  const again = at(GOOD).file('again.yaml')
  const command = typeCommand(['plan', '--inventory', path, '--retry', again, ...words])
  // Two hosts are still waited for; the others have their end.
  for (const port of hosts.slice(2))
    await command.until('stderr', new RegExp(`^\\S+:${port}: (tappass: |cannot install here)`, 'm'))
  command.interrupt('SIGINT')
  assert.equal(await command.code, 64, 'the worst of them')
  const table = command.stderr().slice(command.stderr().indexOf('\nhost '))
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/))
  assert.deepEqual(
    rows.map(([host, outcome]) => [host, outcome]),
    [
      ['host', 'outcome'],
      [nameAt(silentPort), 'interrupted'],
      [nameOf(HANGING), 'interrupted'],
      [nameOf(OTHER_KEY), 'unreachable'],
      [nameOf(OWN_SPEC), 'wrong specification'],
      [nameOf(GOOD), 'preflight refused'],
      [nameAt(1), 'unreachable'],
    ],
  )
  for (const [, , seconds, next] of rows.slice(3)) {
    assert.match(seconds ?? '', /^\d+\.\d$/)
    assert.ok(next, 'says what to do')
  }
  const retried = parseInventory(parse(readFileSync(again, 'utf8')), again)
  assert.equal(retried.length, hosts.length)
  assert.ok(retried.every(({ address, config }) => hosts.includes(address.port ?? 0) && config?.endsWith('.yaml')))
})

test('an inventory: settings of a group reach its hosts, and a secret that is missing is the matter of its host alone', async () => {
  const { file } = at(GOOD)
  const path = file(
    'groups.yaml',
    `groups: { large: { settings: { preflight: { diskFreeMegabytesMin: 1000000000 } } } }
hosts:
- { address: '${nameOf(GOOD)}', groups: [large] }
- { address: '${nameOf(OWN_SPEC)}', groups: [large], secrets: { openai-api-key: none.txt } }
- { address: '${nameAt(1)}' }
`,
  )
  const command = typeCommand(['plan', '--inventory', path, '--limit', 'large', ...words.slice(0, 4)])
  assert.equal(await command.code, 64, command.stderr())
  const rows = command.stderr().slice(command.stderr().indexOf('\nhost ')).trim().split('\n').slice(1)
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/).slice(0, 2)),
    [
      [nameOf(GOOD), 'preflight refused'],
      [nameOf(OWN_SPEC), 'wrong specification'],
    ],
  )
  assert.match(command.stderr(), /1000000000 MB|free disk/i)
  assert.match(command.stderr(), new RegExp(`cannot read ${file('none.txt')}`))
})

const wrong: readonly (readonly [name: string, words: readonly string[], says: RegExp])[] = [
  ['a role that there is not', ['--only', 'gatewy'], /there is no role "gatewy"/g],
  [
    'a flag of a role that is not chosen',
    ['--only', 'gateway', '--domain', 'a.example'],
    /belongs to the role ingress/g,
  ],
  ['a domain that is none', ['--domain', 'nonsense'], /must be a domain name/g],
  ['a secret without a file', ['--secret', 'openai-api-key=/none'], /cannot read \/none/g],
  ['a specification that is not there', ['--config', '/none.yaml'], /cannot read \/none\.yaml/g],
]

for (const verb of ['plan', 'bootstrap'] as const) {
  for (const [name, typed, says] of wrong) {
    test(`${verb}: ${name} is judged before any host is connected to, and told once`, async () => {
      const path = inventory([`- address: '${nameAt(silentPort)}'`, `- address: '${nameAt(1)}'`])
      const before = connections
      const command = typeCommand([verb, '--inventory', path, ...words, ...typed])
      assert.equal(await command.code, 64, command.stderr())
      assert.equal(command.stderr().match(says)?.length, 1, command.stderr())
      assert.equal(connections, before)
    })
  }
}

test('migrate: one of two hosts is dark: the other is asked, and the worst code is given', async () => {
  const hosts = [nameAt(1), nameOf(GOOD)].flatMap((name) => ['--host', name])
  const command = typeCommand(['migrate', 'status', ...hosts, ...words.slice(0, 4)])
  assert.equal(await command.code, 6, command.stderr())
  assert.match(command.stderr(), /127\.0\.0\.1:1\ntappass: cannot connect to/)
  // Who is neither root here nor may use sudo hears that from the host.
  const said = '(TapPass is not installed|root privileges required)'
  assert.match(command.stderr(), new RegExp(`:${at(GOOD).address.port}\\ntappass: ${said}`))
})
