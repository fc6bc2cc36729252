/**
 * Both instances restart, one after the other, again and again, under load: no call may fail, no stream be cut. The machine has the
 * tools of Ubuntu 26.04, and the toolkit logs in as an ordinary user.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DEPLOY_USER, documentedCommands } from './deploy-user.ts'
import { load } from './load.ts'
import { bareServer, bootstrap, type Door, door, eventsOf, inside, mainPids, type Server, writeSpec } from './server.ts'
import { withUbuntuTools } from './ubuntu-tools.ts'

let server: Server
let through: Door

before(async () => {
  server = await bareServer('proof-restart', 10)
  server = await withUbuntuTools(server)
  await bootstrap(server)
  through = await door(server)
})
after(async () => {
  await through?.close()
  await server?.close()
})

test('coreutils and sudo in Rust: a second run has nothing to do, and the deploy user may do what is granted', async () => {
  assert.match(await inside(server, 'readlink /usr/bin/sha256sum /usr/bin/stat'), /^(\/usr\/lib\/cargo\S+\n?){2}$/)
  assert.match(await inside(server, 'sudo --version 2>&1'), /^sudo-rs /)
  const finished = eventsOf(await bootstrap(server)).find(({ event }) => event === 'run-finished')
  assert.equal(finished?.event === 'run-finished' && finished.outcome, 'up-to-date')
  const asUser = `runuser -u ${DEPLOY_USER} --`
  const commands = (await documentedCommands()).filter(
    (command) => !/--follow|restart|st(art|op) tappass/.test(command),
  )
  assert.ok(commands.length >= 4, `${commands}`)
  await inside(server, commands.map((command) => `${asUser} ${command}`).join(' && '))
  await inside(server, `! ${asUser} sudo -n journalctl --no-pager --unit=ssh.service`)
})

const callsMin = 5_000

test(`rolling restarts by hand and by the toolkit: 0 of at least ${callsMin} calls fail`, async () => {
  const { key } = await through.agent('restart')
  const pids = await mainPids(server)
  let restarts = 0
  let isRestarting = true
  const restarting = async (): Promise<void> => {
    while (restarts < 4) {
      await inside(server, 'systemctl restart tappass@1.service && systemctl restart tappass@2.service')
      restarts += 1
    }
    await writeSpec(server, (spec) => ({
      ...spec,
      gateway: { callsMax: 1_000_000, upstream: server.upstream.url, logLevel: 'warn' },
    }))
    await bootstrap(server)
    isRestarting = false
  }
  const [tally] = await Promise.all([
    load(through, key, 12, ({ sent }) => !isRestarting && sent >= callsMin),
    restarting().finally(() => {
      isRestarting = false
    }),
  ])
  const now = await mainPids(server)
  assert.deepEqual(tally.failures, [])
  assert.ok(tally.acknowledged.length >= callsMin && tally.streamed >= callsMin / 10, JSON.stringify(tally.sent))
  assert.notEqual(now['tappass@1'], pids['tappass@1'])
  assert.notEqual(now['tappass@2'], pids['tappass@2'])
  for (const unit of ['tappass-postgres', 'tappass-redis', 'tappass-caddy', 'docker'])
    assert.equal(now[unit], pids[unit], unit)
})
