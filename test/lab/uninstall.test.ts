/** From a bare machine to a server and back: what an uninstall leaves is what was there before, also after one whose unit was killed on the host, and one whose controller was. One machine. Takes 5 minutes. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { compareHostStates, type HostState, readHostState } from './host-state.ts'
import {
  bareServer,
  bootstrap,
  eventsOf,
  inside,
  killUnitOfRun,
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

/** Starts an uninstall and gives its end; `atStep` is called once when that step begins. */
const uninstallUntil = async (step: number, atStep: (child: ChildProcess) => void) => {
  const words = [join(repository, 'scripts/cli.ts'), 'uninstall', ...machineWords(server), '--json', '--yes']
  const child = spawn(process.execPath, words, { cwd: repository, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)))
  let printed = ''
  let isThere = false
  child.stdout.on('data', (chunk) => {
    printed += chunk
    if (isThere || !printed.includes(`"step":${step},"steps"`)) return
    isThere = true
    atStep(child)
  })
  return { ended: await ended, printed }
}

test('killed on the host itself, in the middle of the services: it says so, and its copy of the toolkit is gone', async () => {
  const { ended, printed } = await uninstallUntil(6, () => void killUnitOfRun(server))
  assert.equal(ended, 1, printed.slice(-2000))
  assert.match(printed, /"event":"handed-over"/)
  assert.match(printed, /ended without saying how/)
  assert.equal(await inside(server, 'ls -d /opt/tappass-uninstall 2>/dev/null || :'), '')
})

test('a controller that is killed does not end it: attach shows it to its end, without --data data and secrets stay', async () => {
  const { ended, printed } = await uninstallUntil(3, (child) => child.kill('SIGKILL'))
  assert.equal(ended, 'SIGKILL', printed.slice(-2000))
  const shown = await toolkit(['attach', ...machineWords(server), '--json'])
  assert.equal(shown.code, 0, `${shown.stdout.slice(-3000)}${shown.stderr}`)
  assert.ok(eventsOf(shown).some(({ event }) => event === 'left'))
  const again = (await uninstall()).flatMap((event) => (event.event === 'plan' ? event.changes : []))
  assert.deepEqual(again, [])
  const kept = '/var/lib/tappass/postgres/cluster /etc/credstore.encrypted/tappass-vault-key'
  assert.equal(await inside(server, `ls -d ${kept} | wc -l`), '2')
  assert.equal(await inside(server, 'getent passwd tappass | wc -l'), '1')
  assert.equal(await inside(server, 'ls -d /opt/tappass* /run/tappass-converge 2>/dev/null || :'), '')
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
