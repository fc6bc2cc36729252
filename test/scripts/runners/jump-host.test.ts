/**
 * Hosts that are reached through others, as OpenSSH's configuration says: real sshds on loopback, the way read from ~/.ssh/config by ssh itself. That the way is
 * taken is seen at the jump host: what it refuses is not reached. Needs: sshd.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import type { Invocation } from '../../../scripts/command-line/invocation.ts'
import { completeAddress, parseTypedAddress } from '../../../scripts/connection/host-address.ts'
import { readSshAccess } from '../../../scripts/connection/ssh-access.ts'
import { readSshSettings } from '../../../scripts/connection/ssh-config.ts'
import { asRoot } from '../../../scripts/connection/sudo.ts'
import { Failure } from '../../../scripts/core/failure.ts'
import type { Command, Connection, Runner } from '../../../scripts/core/host.ts'
import { connectSsh } from '../../../scripts/runners/ssh.ts'
import { type SshServer, startSshServer } from './ssh-server.ts'

let servers: readonly SshServer[]
const [GATE, INNER, HOST] = [0, 1, 2]
const at = (index: number): SshServer => servers[index] as SshServer
const portOf = (index: number) => at(index).address.port

before(async () => {
  servers = await Promise.all([GATE, INNER, HOST].map(() => startSshServer()))
})
after(() => {
  for (const server of servers) server.stop()
})

const keyOf = (index: number) => readFileSync(at(index).file('identity.pub'), 'utf8')

/** Each server takes its own key only, as it was made. */
const reset = () => {
  for (const index of [GATE, INNER, HOST]) at(index).file('authorized', keyOf(index))
}

type Situation = Readonly<{
  gate?: string
  host?: string
  knownHosts?: string
  options?: Invocation['options']
  agent?: string
}>

/** A home with the configuration; `gate` and `host` are further lines of theirs. Returns how `typed` is reached from there. */
const routed = async (typed: string, { gate = '', host = '', knownHosts, options = {}, agent }: Situation = {}) => {
  const home = at(GATE).file('home')
  mkdirSync(`${home}/.ssh`, { recursive: true })
  const block = (name: string, index: number, more: string) =>
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${portOf(index)}\n${more}\n`
  const key = (index: number) => (agent === undefined ? `  IdentityFile ${at(index).file('identity')}\n` : '')
  writeFileSync(
    `${home}/.ssh/config`,
    block('gate', GATE, key(GATE) + gate) +
      block('inner', INNER, `${key(INNER)}  ProxyJump gate`) +
      block('host', HOST, key(HOST) + host) +
      'Host *\n  User root\n'.replace('root', at(GATE).address.user),
    { mode: 0o600 },
  )
  const known = [GATE, INNER, HOST].map((index) => readFileSync(at(index).file('known_hosts'), 'utf8')).join('\n')
  writeFileSync(`${home}/.ssh/known_hosts`, knownHosts ?? known)
  const environment = { HOME: home, ...(agent === undefined ? {} : { SSH_AUTH_SOCK: agent }) }
  const invocation = { options, environment, workingFolder: '/' } as unknown as Invocation
  const address = parseTypedAddress(typed)
  const settings = await readSshSettings(invocation, address)
  const user = at(HOST).address.user
  return { address: completeAddress({ ...address, user }, settings), access: readSshAccess(invocation, settings) }
}

const connects = async (situation: Situation): Promise<string> => {
  try {
    const { address, access } = await routed('host', situation)
    const opened = await connectSsh(address, access)
    const { stdout } = await opened.runAsUser(read('echo', 'hello'))
    await opened.close()
    return stdout.trim()
  } catch (error) {
    assert.ok(error instanceof Failure, String(error))
    assert.ok(error.text.next, 'says what to do')
    return `${error.code}: ${error.text.what}: ${error.text.why}: ${error.text.where}`
  }
}

const read = (...argv: [string, ...string[]]): Command => ({ argv, effect: 'read' })
const other = () => readFileSync(at(INNER).file('host-ed25519.pub'), 'utf8')

/** `before` changes a server for the row; all is as it was afterwards. */
const rows: readonly Readonly<{ name: string; situation?: () => Situation; before?: () => void; result: RegExp }>[] = [
  { name: 'through one', result: /^hello$/ },
  {
    name: 'through one behind another one, by its own configuration',
    situation: () => ({ host: '  ProxyJump inner' }),
    result: /^hello$/,
  },
  { name: 'through two in a row', situation: () => ({ host: '  ProxyJump gate,inner' }), result: /^hello$/ },
  {
    name: 'through one that is written as an address',
    situation: () => ({ host: `  ProxyJump ${at(GATE).address.user}@gate:${portOf(GATE)}` }),
    result: /^hello$/,
  },
  {
    name: 'the jump host forwards nothing',
    before: () => at(GATE).file('authorized', `no-port-forwarding ${keyOf(GATE)}`),
    result: /^6: cannot connect to \S+: its jump host \S+ says: .*(prohibited|refused|denied|failed)/i,
  },
  {
    name: 'the jump host takes another key',
    before: () => at(GATE).file('authorized', keyOf(INNER)),
    result: /^6: cannot connect to \S+: permission denied \(publickey\).*: \S+ is the jump host of \S+$/,
  },
  {
    name: 'the key of the jump host is not known',
    situation: () => ({ knownHosts: readFileSync(at(HOST).file('known_hosts'), 'utf8') }),
    result: /^6: host key verification failed for 127\.0\.0\.1: unknown host key .*: \S+ is the jump host of \S+$/,
  },
  {
    name: 'the key of the jump host is another one',
    situation: () => ({
      knownHosts: `[127.0.0.1]:${portOf(GATE)} ${other()}${readFileSync(at(HOST).file('known_hosts'), 'utf8')}`,
    }),
    result: /^6: host key verification failed .*possible man-in-the-middle attack.* is the jump host of/,
  },
  {
    name: 'the key of the host is another one: a jump host can not pass another machine off as it',
    situation: () => ({
      knownHosts: `${readFileSync(at(GATE).file('known_hosts'), 'utf8')}\n[127.0.0.1]:${portOf(HOST)} ${other()}`,
    }),
    result: /^6: host key verification failed .*possible man-in-the-middle attack.*: undefined$/,
  },
  {
    name: '--identity is for the host; the jump host has its own',
    situation: () => ({ options: { identity: at(HOST).file('identity') } }),
    result: /^hello$/,
  },
  {
    name: 'by a command',
    situation: () => ({ host: `  ProxyCommand ${command()}` }),
    result: /^hello$/,
  },
  {
    name: 'by a command that ends at once',
    situation: () => ({ host: '  ProxyCommand exit 3' }),
    result: /^6: cannot connect to \S+: /,
  },
  {
    name: 'by a command with a token that is not known',
    situation: () => ({ host: '  ProxyCommand nc %k %p' }),
    result: /^64: the ProxyCommand of host has the token %k/,
  },
]

/** As people write it: another ssh makes the way. */
const command = () =>
  [
    `ssh -F none -i ${at(GATE).file('identity')} -o UserKnownHostsFile=${at(GATE).file('known_hosts')}`,
    `-o BatchMode=yes -W %h:%p -p ${portOf(GATE)} ${at(GATE).address.user}@127.0.0.1`,
  ].join(' ')

for (const { name, situation = () => ({}), before: change, result } of rows) {
  test(`jump host: ${name}`, async () => {
    reset()
    change?.()
    assert.match(await connects({ host: '  ProxyJump gate', ...situation() }), result)
    reset()
  })
}

test('jump host: behind it nobody listens, and the jump host says so', async () => {
  const { address, access } = await routed('host', { host: '  ProxyJump gate' })
  await assert.rejects(connectSsh({ ...address, port: 1 }, access), ({ text, code }: Failure) => {
    assert.match(text.why ?? '', /^its jump host \S+ says: .*refused/i)
    return code === 6
  })
})

const servedBy = (pid: number): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)

/** Connections of earlier tests take a moment to end. */
const untilIdle = async () => {
  for (const index of [GATE, HOST]) while (servedBy(at(index).pid).length > 0) await wait(20)
}

test('jump host: many hosts behind it share one connection to it, which ends with the last of them', async () => {
  await untilIdle()
  const { address, access } = await routed('host', { host: '  ProxyJump gate' })
  const opened = await Promise.all(Array.from({ length: 6 }, () => connectSsh(address, access)))
  const answers = await Promise.all(opened.map((each, index) => each.runAsUser(read('echo', String(index)))))
  assert.deepEqual(
    answers.map(({ stdout }) => stdout.trim()),
    ['0', '1', '2', '3', '4', '5'],
  )
  assert.deepEqual([servedBy(at(GATE).pid).length, servedBy(at(HOST).pid).length], [1, 6])
  for (const each of opened.slice(1)) await each.close()
  assert.equal((await opened[0]?.runAsUser(read('true')))?.code, 0)
  await opened[0]?.close()
  await untilIdle()
})

test('jump host: keys of the agent are for jump hosts, too', async () => {
  const agent = execFileSync('ssh-agent', ['-s'], { encoding: 'utf8' })
  const [, socket = ''] = /SSH_AUTH_SOCK=([^;]+);/.exec(agent) ?? []
  const [, pid = ''] = /SSH_AGENT_PID=(\d+);/.exec(agent) ?? []
  try {
    const env = { ...process.env, SSH_AUTH_SOCK: socket }
    for (const index of [GATE, HOST]) execFileSync('ssh-add', ['-q', at(index).file('identity')], { env })
    assert.equal(await connects({ host: '  ProxyJump gate', agent: socket }), 'hello')
  } finally {
    process.kill(Number(pid))
  }
})

/** Does what sudo does with a password: -n refuses, -S reads one line. What it was given as words is kept. */
const SUDO = `#!/bin/sh
printf '%s\\n' "$*" >>"$0.words"
[ "$1" != -n ] || { echo 'sudo: a password is required' >&2; exit 1; }
IFS= read -r given
[ "$given" = "$(cat "$0.password")" ] || { echo 'sudo: no password was provided' >&2; exit 1; }
shift 5
exec "$@"
`

test('jump host: a password for sudo goes through it on standard input, and is no word of a command', async () => {
  const word = ['correct', 'horse'].join('-')
  const path = at(HOST).file('sudo')
  writeFileSync(path, SUDO, { mode: 0o755 })
  writeFileSync(`${path}.password`, word)
  const { address, access } = await routed('host', { host: '  ProxyJump gate' })
  const opened: Connection = await connectSsh(address, access)
  const withOurs: Runner = (given, onLine) =>
    opened.runAsUser({ ...given, argv: [path, ...given.argv.slice(1)] as [string, ...string[]] }, onLine)
  let asked = 0
  const run = asRoot(withOurs, async () => {
    asked++
    return word
  })
  const { stdout, stderr } = await run({ ...read('sh', '-c', 'tr a-z A-Z; echo done >&2'), stdin: 'text\n' })
  assert.deepEqual([stdout, stderr, asked], ['TEXT\n', 'done\n', 1])
  const words = readFileSync(`${path}.words`, 'utf8')
  assert.match(words, /^-n -- env /m)
  assert.match(words, /^-S -k -p {2}-- env /m)
  assert.ok(!words.includes(word))
  const refused = asRoot(withOurs, async () => 'wrong')
  await assert.rejects(refused(read('true')), { code: 5, message: 'root privileges required' })
  await opened.close()
})

test('jump host: a circle is a usage failure', async () => {
  await assert.rejects(routed('host', { host: '  ProxyJump inner', gate: '  ProxyJump inner' }), {
    code: 64,
    message: /lead in a circle/,
  })
})
