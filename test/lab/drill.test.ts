/**
 * Drills on a booted machine with the real programs: each does what it says, is held to its goal and noted; what touches the service is done by nobody who has not agreed. Then
 * everything is typed that the page "When it breaks" tells to type. Needs: lab. Takes 3 minutes.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DrillEntry, ListedDrill } from '../../scripts/output/drill-table.ts'
import { commandsOf, readPage, wordsOf } from '../docs/page-command.ts'
import { run } from './machine.ts'
import {
  bareServer,
  bootstrap,
  door,
  eventsOf,
  hostWords,
  inside,
  machineWords,
  type Server,
  toolkit,
} from './server.ts'

let server: Server

const drill = (...words: readonly string[]) => toolkit(['drill', ...words, ...machineWords(server)])
const listed = async (): Promise<readonly ListedDrill[]> =>
  eventsOf(await drill('list', '--json')).flatMap((event) => (event.event === 'drills' ? event.drills : []))
type Steps = Readonly<{ steps: readonly Readonly<{ what: string; ms: number }>[] }>

/** Does it, and gives what was noted. Whether the goal was reached is a matter of the machine; that it was noted so is not. */
const done = async (name: string, ...words: readonly string[]): Promise<DrillEntry & Steps> => {
  const output = await drill(name, '--json', ...words)
  const [event] = eventsOf(output).flatMap((each) => (each.event === 'drill' ? [each] : []))
  const entry = event as unknown as DrillEntry & Steps
  assert.ok(entry && entry.outcome !== 'failed', `${output.stdout}${output.stderr}`)
  assert.equal(output.code, entry.outcome === 'reached' ? 0 : 1)
  return entry
}

/** The lines of `status`: well, but for a drill that took longer than its goal. */
const status = async (): Promise<string> => {
  const { code, stdout } = await toolkit(['status', ...machineWords(server)])
  const isMissed = (await listed()).some(({ last }) => last?.outcome === 'missed')
  assert.equal(code, isMissed ? 1 : 0, stdout)
  return stdout
}

before(async () => {
  server = await bareServer('drill', 0, { tree: 'docker' })
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

test('container: Redis, PostgreSQL and an instance die under load, all is back, and no entry is lost', async (context) => {
  const entry = await done('container', '--yes')
  context.diagnostic(JSON.stringify(entry))
  assert.equal(entry.steps.length, 6)
  assert.equal(entry.outcome, (entry.rtoMs ?? Number.NaN) <= 10_000 ? 'reached' : 'missed')
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
  assert.match(said, /a byte of a page of public\.audit_events was changed/)
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
  assert.match(await status(), /^drill .+container \S+: (reached|missed) its goal/m)
})

/** What this machine does not have, what has a test of its own, and what would end it. */
const NOT_TYPED = [
  /\b(FILE|SET|DIR)\b/,
  /^ssh /,
  /^systemctl reboot$/,
  /tunnel|backup-copy|spire|svid|outbound/,
  /secrets rotate|backup create|drill server/,
  /--accept-new-host-key/,
]

/** The words of the machine: what plans needs its archives, too, which are files of the lab. */
const wordsFor = (words: readonly string[]): readonly string[] => {
  if (words.includes('--help')) return []
  return ['plan', 'bootstrap'].includes(words[0] ?? '') ? hostWords(server) : machineWords(server)
}

const typed = commandsOf(readPage('how-to/when-it-breaks.md')).filter((command) =>
  NOT_TYPED.every((pattern) => !pattern.test(command)),
)

test('what the page tells to type does what it should', async (context) => {
  assert.ok(typed.length > 45, `${typed.length}`)
  const wrong: string[] = []
  for (const command of typed) {
    const startMs = performance.now()
    const [program, ...words] = wordsOf(command.replace(' --host root@server', ''))
    const { code, stdout, stderr } =
      program === './tappass' ? await toolkit([...words, ...wordsFor(words)]) : await run(server.machine, command)
    context.diagnostic(`${Math.round(performance.now() - startMs)} ms: ${command}`)
    if (code !== 0) wrong.push(`${command} ended with ${code}: ${stdout.slice(-300)}${stderr.slice(-500)}`)
  }
  assert.deepEqual(wrong, [])
  await status()
})
