/** A run goes on as a unit of its host: without its controller, watched again, asked to stop, killed, and without anybody who could confirm a guarded change. One machine. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Event } from '../../scripts/output/event.ts'
import {
  assertNothingToDo,
  bareServer,
  bootstrap,
  bootstrapWords,
  eventsOf,
  inside,
  machineWords,
  repository,
  type Server,
  toolkit,
  untilHealthy,
  writeSpec,
} from './server.ts'

let server: Server

before(async () => {
  server = await bareServer('proof-attach')
})
after(() => server?.close())

/** Starts a run, and sends it a signal at the first event that `isMoment` knows. Returns its events, and its exit code or signal. */
function endedRun(
  signal: NodeJS.Signals,
  isMoment: (event: Event) => boolean,
): Promise<Readonly<{ events: readonly Event[]; ended: number | NodeJS.Signals | null }>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, bootstrapWords(server), {
      cwd: repository,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const events: Event[] = []
    let isSent = false
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line) as Event
      events.push(event)
      if (isSent || !isMoment(event)) return
      isSent = true
      child.kill(signal)
    })
    child.once('error', reject)
    child.once('close', (code, ended) => resolve({ events, ended: ended ?? code }))
  })
}

const attach = () => toolkit(['attach', ...machineWords(server), '--json'])

const lastOf = (events: readonly Event[]) => {
  const last = events.at(-1)
  return last?.event === 'run-finished' ? last : assert.fail(JSON.stringify(last))
}

const untilOver = () => inside(server, 'while systemctl is-active --quiet tappass-run.service; do sleep 0.2; done')

/** So that a run has something to do: instances are restarted for it. */
const withCallsMax = (callsMax: number) =>
  writeSpec(server, (spec) => ({ ...spec, gateway: { callsMax, upstream: server.upstream.url } }))

test('a controller that is killed does not end its run: it is shown again from its begin, and goes on to its end', async () => {
  const { ended } = await endedRun('SIGKILL', ({ event }) => event === 'handed-over')
  assert.equal(ended, 'SIGKILL')
  const shown = await attach()
  assert.equal(shown.code, 0, `${shown.stdout.slice(-3000)}${shown.stderr}`)
  const events = eventsOf(shown)
  const steps = events.flatMap((event) => (event.event === 'step-started' ? [event] : []))
  assert.equal(steps[0]?.step, 1)
  assert.equal(lastOf(events).outcome, 'up-to-date')
  await untilHealthy(server)
  await assertNothingToDo(server)
  const generations = eventsOf(await toolkit(['history', ...machineWords(server), '--json']))
  assert.match(JSON.stringify(generations), /"generations":\[\{[^[]*"outcome":"up-to-date"/)
})

test('what it was given is gone when it has ended; what it told stays to be shown', async () => {
  const found = await inside(server, 'ls -A /run/tappass-converge/run; ls -d /var/lib/tappass-sent 2>/dev/null || true')
  assert.deepEqual(found.split('\n').filter(Boolean).toSorted(), ['events.jsonl', 'job.json', 'watchers'])
  const startedAt = new Date().toISOString()
  const again = await attach()
  assert.equal(again.code, 0)
  // What is past carries the time at which it happened.
  const steps = again.stdout.split('\n').filter((line) => line.includes('"event":"step-'))
  const times = steps.map((line) => (JSON.parse(line) as { at: string }).at)
  assert.ok(times.length > 10 && times.every((at) => at < startedAt), `${times.at(-1)} ${startedAt}`)
  assert.deepEqual(times, times.toSorted())
  assert.equal(lastOf(eventsOf(again)).outcome, 'up-to-date')
})

test('an interrupt stops it after its step, and it says so; the next run completes it', async () => {
  await withCallsMax(900_000)
  const { events, ended } = await endedRun('SIGINT', (event) => event.event === 'step-started' && event.step === 2)
  assert.equal(ended, 130, JSON.stringify(events.slice(-3)))
  assert.equal(lastOf(events).outcome, 'interrupted')
  assert.ok(events.some(({ event }) => event === 'handed-over'))
  await bootstrap(server)
  await assertNothingToDo(server)
})

test('another run is refused while it goes on, and told how to see it; a closed terminal leaves it alone', async () => {
  await withCallsMax(800_000)
  const { ended } = await endedRun('SIGHUP', ({ event }) => event === 'handed-over')
  assert.equal(ended, 130)
  const other = await toolkit(['bootstrap', ...bootstrapWords(server).slice(2)])
  assert.equal(other.code, 4, other.stdout.slice(-2000))
  assert.match(other.stdout, /attach --host/)
  await untilOver()
  await assertNothingToDo(server)
})

test('killed on the host itself: seen at once by the next run, which completes it', async () => {
  await withCallsMax(700_000)
  const running = endedRun('SIGKILL', () => false)
  await inside(
    server,
    'until systemctl is-active --quiet tappass-run.service; do sleep 0.05; done; systemctl kill --kill-whom=main --signal=SIGKILL tappass-run.service',
  )
  const { events, ended } = await running
  assert.equal(ended, 1, JSON.stringify(events.slice(-3)))
  await bootstrap(server)
  await assertNothingToDo(server)
})

test('a guarded change is not begun while nobody could confirm it; all else is done', async () => {
  await writeSpec(server, (spec) => ({
    ...spec,
    gateway: { callsMax: 600_000, upstream: server.upstream.url },
    firewall: { allow: [{ port: 9999 }] },
  }))
  await endedRun('SIGKILL', ({ event }) => event === 'handed-over')
  await untilOver()
  await pause(500)
  const shown = await attach()
  assert.equal(shown.code, 3, shown.stdout.slice(-2000))
  assert.match(shown.stdout, /nobody is connected/)
  assert.match(await inside(server, 'cat /etc/tappass/gateway.env'), /600000/)
  assert.doesNotMatch(await inside(server, 'nft list table inet tappass'), /9999/)
  await bootstrap(server)
  assert.match(await inside(server, 'nft list table inet tappass'), /9999/)
})
