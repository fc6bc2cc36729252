/** From a bare machine to a server and back: what an uninstall leaves is what was there before, also after one that was killed. One machine. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compareHostStates, type HostState, readHostState } from './host-state.ts'
import {
  bareServer,
  bootstrap,
  eventsOf,
  inside,
  machineWords,
  repository,
  type Server,
  toolkit,
  writeSpec,
} from './server.ts'

let server: Server
let bare: HostState

before(async () => {
  server = await bareServer('proof-uninstall')
  bare = await readHostState(server.machine)
  // With what goes out closed from the first run on: what that brings goes, too.
  await writeSpec(server, (spec) => ({
    ...spec,
    gateway: { upstream: server.upstream.url },
    firewall: { outbound: [] },
  }))
  await bootstrap(server)
})
after(() => server?.close())

const uninstall = async (...words: readonly string[]) => {
  const output = await toolkit(['uninstall', ...machineWords(server), '--json', '--yes', ...words])
  assert.equal(output.code, 0, `${output.stdout.slice(-3000)}${output.stderr}`)
  return eventsOf(output)
}

test('killed in the middle of the services, run again without --data: data and secrets stay', async () => {
  const words = [join(repository, 'scripts/cli.ts'), 'uninstall', ...machineWords(server), '--json', '--yes']
  const killed = spawn(process.execPath, words, { cwd: repository, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => killed.once('exit', (_, signal) => resolve(signal)))
  let printed = ''
  killed.stdout.on('data', (chunk) => {
    printed += chunk
    if (/"step":6,"steps":\d+,"resource"/.test(printed)) killed.kill('SIGKILL')
  })
  assert.equal(await ended, 'SIGKILL', printed.slice(-2000))
  await uninstall()
  const kept = '/var/lib/tappass/postgres/cluster /etc/credstore.encrypted/tappass-vault-key'
  assert.equal(await inside(server, `ls -d ${kept} | wc -l`), '2')
  assert.equal(await inside(server, 'getent passwd tappass | wc -l'), '1')
})

test('with --data: files, packages, accounts, units, rules, interfaces and sysctls are as before, but for what is told', async () => {
  const left = (await uninstall('--data')).flatMap((event) => (event.event === 'left' ? event.left : []))
  assert.ok(left.length > 0 && left.length <= 5)
  assert.deepEqual(compareHostStates(bare, await readHostState(server.machine)), [])
  const again = await uninstall('--data')
  assert.deepEqual(
    again.flatMap((event) => (event.event === 'plan' ? event.changes : [])),
    [],
  )
})
