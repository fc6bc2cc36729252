/**
 * An account that has to type its password for sudo, on a machine behind a jump host, with keys of an SSH agent: the real sudo, the real sshds. The password is asked for once
 * and is in nothing that is written, here or there. Needs: sshd.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { typeCommand } from '../scripts/command-line.ts'
import { type SshServer, startSshServer } from '../scripts/runners/ssh-server.ts'
import { down, type Machine, run, up } from './machine.ts'
import { claimName } from './server.ts'

const PASSWORD = ['correct', 'horse', 'battery'].join('-')

let machine: Machine
let gate: SshServer
let environment: Readonly<Record<string, string>>
let agentPid: number | undefined

before(async () => {
  const name = await claimName('sudo-password')
  await down(name)
  machine = await up(name)
  gate = await startSshServer()
  const key = readFileSync(gate.file('identity.pub'), 'utf8').trim()
  const made = await run(
    machine,
    `useradd --create-home --shell /bin/bash ops && echo 'ops:${PASSWORD}' | chpasswd && usermod -aG sudo ops &&
     install -d -m 0700 -o ops -g ops /home/ops/.ssh && echo '${key}' >/home/ops/.ssh/authorized_keys && chown ops: /home/ops/.ssh/authorized_keys`,
  )
  assert.equal(made.code, 0, made.stderr)
  const home = gate.file('home')
  mkdirSync(`${home}/.ssh`, { recursive: true })
  const [gateHost, gatePort] = [gate.address.name, gate.address.port]
  writeFileSync(
    `${home}/.ssh/config`,
    `Host gate\n  HostName ${gateHost}\n  Port ${gatePort}\n  User ${gate.address.user}\nHost behind\n  HostName ${machine.address}\n  User ops\n  ProxyJump gate\n`,
    { mode: 0o600 },
  )
  const known = [gate.file('known_hosts'), machine.knownHosts].map((path) => readFileSync(path, 'utf8'))
  writeFileSync(`${home}/.ssh/known_hosts`, known.join('\n'))
  const agent = execFileSync('ssh-agent', ['-s'], { encoding: 'utf8' })
  agentPid = Number(/SSH_AGENT_PID=(\d+);/.exec(agent)?.[1])
  const socket = /SSH_AUTH_SOCK=([^;]+);/.exec(agent)?.[1] ?? ''
  execFileSync('ssh-add', ['-q', gate.file('identity')], { env: { ...process.env, SSH_AUTH_SOCK: socket } })
  environment = { HOME: home, SSH_AUTH_SOCK: socket }
})
after(async () => {
  if (agentPid !== undefined) process.kill(agentPid)
  gate?.stop()
  if (machine !== undefined) await down(machine.name)
})

test('the password is asked for once, and nothing that is written holds it', async () => {
  const command = typeCommand(['status', '--host', 'behind'], { environment, isTerminal: true })
  await command.until('stderr', /sudo password on ops@behind: /)
  command.answer(PASSWORD)
  assert.equal(await command.code, 1, command.stderr())
  assert.match(command.stderr(), /TapPass is not installed here/)
  assert.equal(command.stderr().match(/sudo password on/g)?.length, 1)
  assert.ok(!(command.stdout() + command.stderr()).includes(PASSWORD))
  const { stdout } = await run(machine, 'journalctl --no-pager; cat /home/ops/.bash_history /var/log/*.log 2>/dev/null')
  assert.match(stdout, /sudo\S*: +ops : .*COMMAND=/, 'sudo has written what was run')
  assert.ok(!stdout.includes(PASSWORD))
})

for (const [name, options, answer, says] of [
  ['a wrong password', [], 'wrong', /root privileges required/],
  ['nobody to ask', ['--no-input'], undefined, /password is required/],
] as const) {
  test(`${name} is refused, and nothing is done`, async () => {
    const command = typeCommand(['status', '--host', 'behind', ...options], { environment, isTerminal: true })
    if (answer !== undefined) {
      await command.until('stderr', /sudo password on ops@behind: /)
      command.answer(answer)
    }
    assert.equal(await command.code, 5, command.stderr())
    assert.match(command.stderr(), says)
  })
}
