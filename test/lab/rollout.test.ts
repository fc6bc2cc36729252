/**
 * One run over several machines, in batches: two that become servers, one that nobody reaches, and one that shows another host key than it should. The others are done, the exit code is that of
 * the worst, and a limit keeps what is left as it was. PostgreSQL and Redis are elsewhere, so that a server is made in seconds. Two machines. Needs: redis. Takes 3 minutes.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parse, stringify } from 'yaml'
import type { Event } from '../../scripts/output/event.ts'
import { machineAddress6 } from './network.ts'
import { bareServer, eventsOf, inside, type Server, toolkit } from './server.ts'
import { type StorageServer, startStorage, writeExternalSpec } from './storage-server.ts'

let first: Server
let second: Server
let storage: StorageServer
let inventory: string
let knownHosts: string

/** Nothing listens there: refused at once, as by a machine whose SSH is down. */
const unreachable = () => `root@${first.machine.address}:9`
/** The second machine by its other address, under which known_hosts has the key of the first one. */
const impostor = () => `root@[${machineAddress6(Number(second.machine.address.split('.')[2]))}]`
const nameOf = ({ machine }: Server) => `root@${machine.address}`

const keyOf = async ({ machine }: Server): Promise<string> =>
  (await readFile(machine.knownHosts, 'utf8')).trim().split(' ').slice(1).join(' ')

before(async () => {
  ;[first, second] = await Promise.all([bareServer('proof-rollout-a'), bareServer('proof-rollout-b')])
  storage = await startStorage(first)
  await storage.database.superuser('CREATE DATABASE second OWNER tappass')
  await writeExternalSpec(first)
  // One key for all.
  const publicKey = await inside(first, 'cat /root/.ssh/authorized_keys')
  await inside(second, `echo '${publicKey}' >>/root/.ssh/authorized_keys`)
  knownHosts = join(first.folder, 'known_hosts')
  const [own, other] = [await keyOf(first), await keyOf(second)]
  const lines = [
    `${first.machine.address} ${own}`,
    `${second.machine.address} ${other}`,
    `${impostor().slice('root@['.length, -1)} ${own}`,
  ]
  await writeFile(knownHosts, `${lines.join('\n')}\n`)
  const secretsOf = async (name: string) =>
    Object.fromEntries(
      (await storage.words(undefined, name)).filter((word) => word !== '--secret').map((word) => word.split('=', 2)),
    )
  inventory = join(first.folder, 'hosts.yaml')
  const hosts = [
    { address: nameOf(first), groups: ['canary'], secrets: await secretsOf('tappass') },
    { address: unreachable() },
    { address: impostor() },
    { address: nameOf(second), secrets: await secretsOf('second') },
  ]
  const canary = { settings: { gateway: { logLevel: 'debug' } } }
  await writeFile(inventory, stringify({ groups: { canary }, hosts }))
})
after(async () => {
  await storage?.close()
  await Promise.all([first?.close(), second?.close()])
})

/** Runs over an inventory. Gives the exit code, and the outcome of each host in the order of the list. */
const rollout = async (path: string, retry: string, ...words: readonly string[]) => {
  const output = await toolkit([
    ...['bootstrap', '--inventory', path, '--config', first.specPath, '--yes', '--json', '--retry', retry],
    ...['--identity', first.machine.key, '--known-hosts', knownHosts, ...words],
  ])
  const outcomes = Object.fromEntries(
    (eventsOf(output) as readonly (Event & { host: string })[]).flatMap((event) =>
      event.event === 'run-finished' ? [[event.host, event.outcome]] : [],
    ),
  )
  return { code: output.code, outcomes, output }
}

/** In the order in which they ended, which is nobody's promise. */
const hostsOf = async (path: string): Promise<readonly string[]> =>
  (parse(await readFile(path, 'utf8')) as { hosts: readonly { address: string }[] }).hosts
    .map(({ address }) => address)
    .toSorted()

const settingsOf = (server: Server, pattern: string): Promise<string> =>
  inside(server, `grep -h '${pattern}' /etc/tappass/gateway.env || true`)

test('one host first, then half of all: the two that cannot be reached cost the others nothing, and the exit code is the worst', async () => {
  const retry = join(first.folder, 'retry.yaml')
  const { code, outcomes, output } = await rollout(inventory, retry, '--batch', '1,50%', '--max-fail', '2')
  assert.equal(code, 6, output.stdout.slice(-3000) + output.stderr.slice(-3000))
  assert.deepEqual(outcomes, {
    [nameOf(first)]: 'up-to-date',
    [unreachable()]: 'unreachable',
    [impostor()]: 'unreachable',
    [nameOf(second)]: 'up-to-date',
  })
  assert.deepEqual(await hostsOf(retry), [unreachable(), impostor()].toSorted())
  for (const server of [first, second])
    assert.equal(await inside(server, `curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9620/health`), '200')
  // What a group says reaches its hosts only, and each host has the database of its own secrets.
  assert.deepEqual(
    [await settingsOf(first, 'LOG_LEVEL'), await settingsOf(second, 'LOG_LEVEL')],
    ['TAPPASS_LOG_LEVEL=debug', 'TAPPASS_LOG_LEVEL=info'],
  )
  for (const name of ['tappass', 'second'])
    assert.equal(await storage.database.superuser('SELECT count(*) > 0 FROM audit_events', name), 't')
})

test('one failed host more than may fail: no further batch is begun, and what is left is as it was; the retry has it', async () => {
  const retry = join(first.folder, 'retry.yaml')
  const words = ['--batch', '1,50%', '--max-fail', '1', '--upstream', 'http://127.0.0.1:9/v1']
  const { code, outcomes, output } = await rollout(inventory, retry, ...words)
  assert.equal(code, 6, output.stdout.slice(-3000))
  assert.equal(outcomes[nameOf(second)], 'not-begun', JSON.stringify(outcomes))
  assert.match(await settingsOf(first, 'UPSTREAM'), /127\.0\.0\.1:9/)
  assert.doesNotMatch(await settingsOf(second, 'UPSTREAM'), /127\.0\.0\.1:9/)
  assert.deepEqual(await hostsOf(retry), [unreachable(), impostor(), nameOf(second)].toSorted())
  // The same command with that file does the rest; the machine that is not reachable stays so.
  const again = await rollout(
    retry,
    join(first.folder, 'again.yaml'),
    '--batch',
    '1',
    '--max-fail',
    '100%',
    ...words.slice(4),
  )
  assert.equal(again.code, 6)
  assert.equal(again.outcomes[nameOf(second)], 'up-to-date')
  assert.match(await settingsOf(second, 'UPSTREAM'), /127\.0\.0\.1:9/)
})
