/**
 * Drills on a booted machine with the real programs: each does what it says, is held to its goal and noted; what touches the service is done by nobody who has not agreed.
 * Needs: lab.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DrillEntry, ListedDrill } from '../../scripts/output/drill-table.ts'
import { bareServer, bootstrap, door, eventsOf, inside, machineWords, type Server, toolkit } from './server.ts'

let server: Server

const drill = (...words: readonly string[]) => toolkit(['drill', ...words, ...machineWords(server)])
const listed = async (): Promise<readonly ListedDrill[]> =>
  eventsOf(await drill('list', '--json')).flatMap((event) => (event.event === 'drills' ? event.drills : []))
type Steps = Readonly<{ steps: readonly Readonly<{ what: string; ms: number }>[] }>

/** Does it, and gives what was noted. */
const done = async (name: string, ...words: readonly string[]): Promise<DrillEntry & Steps> => {
  const output = await drill(name, '--json', ...words)
  const [entry] = eventsOf(output).flatMap((event) => (event.event === 'drill' ? [event] : []))
  assert.equal(output.code, 0, `${output.stdout}${output.stderr}`)
  return entry as unknown as DrillEntry & Steps
}

before(async () => {
  server = await bareServer('drill')
  await bootstrap(server)
  const way = await door(server)
  const { client } = await way.agent('bot')
  const messages = [{ role: 'user', content: 'good day' }] as const
  for (let count = 0; count < 5; count += 1)
    await client.chat.completions.create({ model: 'm', messages: [...messages] })
  await way.close()
})
after(() => server?.close())

test('before there is a backup nothing can be drilled of it: exit 5, and what to type', async () => {
  const { code, stderr } = await drill('server')
  assert.equal(code, 5)
  assert.match(stderr, /no backup that counts: \S*tappass backup create/)
  assert.ok((await listed()).every(({ last }) => last === null))
  const backup = await toolkit(['backup', 'create', ...machineWords(server)])
  assert.equal(backup.code, 0, backup.stderr)
})

test('what touches the service needs an agreement, and is not done without one', async () => {
  const { code, stderr } = await drill('container', '--no-input')
  assert.equal(code, 64)
  assert.match(stderr, /touches the service/)
  assert.match(stderr, /--yes/)
  assert.equal((await drill('earthquake')).code, 64)
})

test('container: Redis, PostgreSQL and an instance die under load, and all is back within 10 s without a lost entry', async (context) => {
  const entry = await done('container', '--yes')
  context.diagnostic(JSON.stringify(entry))
  assert.equal(entry.steps.length, 6)
  assert.ok((entry.rtoMs ?? Number.NaN) <= 10_000)
  assert.equal(entry.rpoMs, 0)
  // Both were away, and calls were refused meanwhile: the drill has looked.
  for (const { what, ms } of entry.steps.filter(({ what }) => /^(redis|postgres)/.test(what))) assert.ok(ms > 0, what)
})

test('redis: a lost counter costs no call', async (context) => {
  const entry = await done('redis', '--yes')
  context.diagnostic(JSON.stringify(entry))
  assert.deepEqual([entry.rtoMs, entry.rpoMs], [0, 0])
  assert.ok((entry.steps.at(-1)?.ms ?? 0) > 0)
})

test('the monthly unit does those that touch nothing: a damaged page is found, and a gateway answers on the newest backup', async (context) => {
  const pids = await inside(server, 'systemctl show --property=MainPID tappass-postgres tappass-redis tappass@1')
  await inside(server, 'systemctl start tappass-drill.service || { journalctl -u tappass-drill -o cat; exit 1; }')
  assert.equal(await inside(server, 'systemctl show --property=MainPID tappass-postgres tappass-redis tappass@1'), pids)
  const drills = await listed()
  for (const { name, touches, last, goal } of drills.filter((each) => each.touches === 'nothing')) {
    context.diagnostic(JSON.stringify({ name, touches, last }))
    assert.equal(last?.outcome, 'reached', name)
    assert.ok((last?.rtoMs ?? Number.NaN) <= goal.rtoMs)
  }
  const said = await inside(server, 'journalctl -u tappass-drill -o cat')
  assert.match(said, /find it: checksums of all pages/)
  assert.match(said, /a byte of a page of audit_events was changed/)
  assert.equal(await inside(server, 'ls -A /var/lib/tappass/drill'), 'log.jsonl\ntappass-drill.prom')
  assert.equal(await inside(server, `docker ps --all --quiet --filter name=tappass-drill`), '')
  assert.match(
    await inside(server, 'cat /var/lib/tappass/drill/tappass-drill.prom'),
    /tappass_drill_reached\{drill="server"\} 1/,
  )
})

test('a second time is compared with the first; the list, status and the agents show it', async () => {
  const { code, stdout } = await drill('server')
  assert.equal(code, 0)
  assert.match(stdout, /RTO +\S+ s +goal: at most 10\.0 min; last time \S+ s/)
  assert.match((await drill('list')).stdout, /^server +nothing +\S+ +reached /m)
  const status = await toolkit(['status', ...machineWords(server)])
  assert.equal(status.code, 0, status.stdout)
  assert.match(status.stdout, /^drill +container \S+: reached its goal/m)
})
