/** `logs` over real sshds: both hosts at once, each line with its host's name, and no process left behind. Needs: sshd, root. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { typeCommand } from '../command-line.ts'
import { type SshServer, startSshServer } from '../runners/ssh-server.ts'

let servers: readonly SshServer[]
before(async () => {
  servers = await Promise.all([startSshServer(), startSshServer()])
})
after(() => {
  for (const server of servers) server.stop()
})

const wordsFor = (some: readonly SshServer[]) => {
  const [first] = some as [SshServer]
  const known = first.file('all', some.map(({ file }) => readFileSync(file('known_hosts'), 'utf8')).join(''))
  const key = readFileSync(first.file('identity.pub'), 'utf8')
  for (const { file } of some) file('authorized', key)
  return [
    ...some.flatMap(({ address }) => ['--host', `${address.user}@127.0.0.1:${address.port}`]),
    ...['--identity', first.file('identity'), '--known-hosts', known],
  ]
}

/** The processes with this word in their command line. */
const processesWith = (word: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word)
      } catch {
        return false
      }
    })

/** True once it is so in three looks in a row: a list of processes misses the one that is started while it is read. */
const until = async (isSo: () => boolean): Promise<boolean> => {
  for (let looks = 0, inRow = 0; looks < 1500; looks++) {
    inRow = isSo() ? inRow + 1 : 0
    if (inRow === 3) return true
    await wait(20)
  }
  return false
}

test('following two hosts: Ctrl-C ends it with 130, and every process on the hosts', async () => {
  // A start that nobody else asks for finds the processes of this test.
  const mark = '--since=-424242s'
  const command = typeCommand(['logs', 'gateway', '--follow', '--since', '424242s', ...wordsFor(servers)])
  assert.ok(await until(() => processesWith(mark).length >= 4), 'a shell and journalctl on each host')
  command.interrupt('SIGINT')
  assert.equal(await command.code, 130)
  assert.ok(await until(() => processesWith(mark).length === 0), `left: ${processesWith(mark)}`)
  assert.match(command.stderr(), /^root@127\.0\.0\.1:\d+: interrupted /m)
})

test('a host that never had a service of ours: said so, with the command that says more', async () => {
  const command = typeCommand(['logs', 'redis', ...wordsFor(servers.slice(0, 1))])
  assert.equal(await command.code, 0)
  assert.equal(command.stdout(), '')
  assert.match(
    command.stderr(),
    /warning: nothing was written by redis on this host in that time\n {2}next: {2}tappass status --host /,
  )
})

test('usage: another name, a wrong time, and more hosts than there are places are told before any connection', async () => {
  const hosts = Array.from({ length: 33 }, (_, index) => ['--host', `root@h${index}.example.com`]).flat()
  const rows = [
    [['logs', 'gatway'], /did you mean "gateway"/],
    [['logs', 'gateway', 'redis'], /"logs" takes one SERVICE, not "redis" too/],
    [['logs', '--since', 'soon'], /"--since" is an age/],
    [['logs', '--follow', ...hosts], /33 hosts are more than can be followed at a time \(32\)/],
  ] as const
  for (const [words, what] of rows) {
    const command = typeCommand(words)
    assert.equal(await command.code, 64)
    assert.match(command.stderr(), what)
  }
})
