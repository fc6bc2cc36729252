/** The three renderers, over every kind of event. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../../scripts/output/event.ts'
import { jsonRenderer, liveRenderer, plainRenderer } from '../../../scripts/output/renderer.ts'

const failure = {
  resource: 'unit:x',
  action: 'start x',
  command: 'systemctl start x',
  code: 1,
  output: ['no'],
  next: 'tappass bootstrap',
  journal: { unit: 'x', lines: ['log'] },
}
const health = { isHealthy: true, release: '1', gateway: 'healthy', units: [], conditions: [], lastBackup: undefined }

const events: readonly Event[] = [
  { event: 'run-started', verb: 'bootstrap' },
  { event: 'refused', reasons: [{ what: 'port 80 is taken', why: 'nginx listens', next: 'stop it' }] },
  {
    event: 'plan',
    resources: 2,
    changes: [
      {
        role: 'data',
        resource: 'file:/x',
        action: 'write /x',
        reason: 'it is absent',
        diff: '--- /dev/null\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n',
      },
    ],
  },
  { event: 'plan', resources: 2, changes: [] },
  { event: 'lock-taken-over', owner: 'ada', reason: 'its process has ended' },
  { event: 'step-started', step: 1, steps: 2, resource: 'file:/x', action: 'write /x', reason: 'it is absent' },
  { event: 'command-started', step: 1, command: 'apt-get update' },
  { event: 'output', step: 1, line: 'Reading…\u001b[2J' },
  { event: 'step-finished', step: 1, steps: 2, resource: 'file:/x', isApplied: true, ms: 1500 },
  { event: 'step-failed', step: 2, steps: 2, failure },
  { event: 'secret', id: 'key', next: 'tappass bootstrap' },
  { event: 'health', ...health },
  { event: 'error', failure: { what: 'gone', next: 'run it again' } },
  { event: 'settings', source: '/s' },
  { event: 'warning', warning: { what: 'it is open', why: 'http', next: 'use https' } },
  { event: 'run-finished', outcome: 'failed', exitCode: 1, applied: 1, remaining: 1, ms: 2000, roundTrips: 9 },
  { event: 'run-finished', outcome: 'failed', exitCode: 64, applied: 0, remaining: 0, ms: 2000, roundTrips: 0 },
  {
    event: 'run-finished',
    outcome: 'unhealthy',
    unhealthy: ['tappass@1.service'],
    exitCode: 1,
    applied: 0,
    remaining: 0,
    ms: 100,
    roundTrips: 1,
  },
  {
    event: 'run-finished',
    outcome: 'not-installed',
    exitCode: 1,
    applied: 0,
    remaining: 0,
    ms: 100,
    roundTrips: 1,
    next: 'tappass bootstrap',
  },
  {
    event: 'run-finished',
    outcome: 'pending',
    exitCode: 2,
    applied: 0,
    remaining: 1,
    ms: 2000,
    roundTrips: 1,
    next: 'tappass bootstrap --host root@a',
  },
]

const options = { program: 'tappass', isPlanData: false, hasDiffs: true }

const createStreams = () => {
  const texts = { stdout: '', stderr: '' }
  return {
    texts,
    streams: {
      stdout: (text: string) => {
        texts.stdout += text
      },
      stderr: (text: string) => {
        texts.stderr += text
      },
    },
  }
}

test('json: one object per line, with version, time and host; `next` can be typed', () => {
  const { texts, streams } = createStreams()
  const renderer = jsonRenderer(streams, './tappass', () => Date.parse('2026-11-24T00:00:00Z'))
  for (const event of events) renderer.emit('root@a', event)
  const rows = texts.stdout.trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => JSON.parse(row)),
    JSON.parse(
      JSON.stringify(
        events.map((event) => ({ v: 3, at: '2026-11-24T00:00:00.000Z', host: 'root@a', ...event })),
      ).replaceAll('"tappass bootstrap', '"./tappass bootstrap'),
    ),
  )
  assert.equal(texts.stderr, '')
  renderer.emit('root@a', { event: 'run-started', verb: 'bootstrap' }, '2026-11-23T00:00:00.000Z')
  assert.match(texts.stdout.trimEnd().split('\n').at(-1) ?? '', /"at":"2026-11-23T00:00:00\.000Z"/)
})

const plainText = `cannot install here, 1 problem:
- port 80 is taken
  why:   nginx listens
  next:  stop it
1 change to 1 of 2 resources:
  role  packages  accounts  files  units  others
  data  ·         ·         1      ·      ·
  ~ write /x, because it is absent
      --- /dev/null
      +++ /x
      @@ -0,0 +1,1 @@
      +a
no changes needed: all 2 resources are up to date
took over the lock of ada: its process has ended
1/2 write /x
1/2 done (1.5 s)
2/2 FAILED: start x   [unit:x]
  command:   systemctl start x
  exit code: 1
  output:
    no
  journal of x:
    log
  next: tappass bootstrap
tappass: gone
  next:  run it again
no --config given: using the current settings of the host (/s)
warning: it is open
  why:   http
  next:  use https
failed, 1 change applied, 1 step left; run the same command again to continue (2.0 s, 9 round trips)
unhealthy: tappass@1.service (0.1 s, 1 round trip)
TapPass is not installed here (0.1 s, 1 round trip)
  next:  tappass bootstrap
changes pending (2.0 s, 1 round trip)
  next:  tappass bootstrap --host root@a
`

test('plain: lines on stderr', () => {
  const { texts, streams } = createStreams()
  for (const event of events) plainRenderer(streams, options, false).emit('root@a', event)
  assert.equal(texts.stderr, plainText)
  assert.equal(texts.stdout, '')
})

test('plain: with several hosts every line begins with its host; the plan of `plan` goes to stdout', () => {
  const { texts, streams } = createStreams()
  for (const event of events) plainRenderer(streams, { ...options, isPlanData: true }, true).emit('root@a', event)
  for (const line of (texts.stdout + texts.stderr).trimEnd().split('\n')) assert.ok(line.startsWith('root@a: '), line)
  assert.match(texts.stdout, /^root@a: 1 change to 1 of 2 resources:\n[\s\S]*write \/x/)
  assert.ok(!texts.stderr.includes('because it is absent'))
})

test('live: one progress line, finished steps stay, no output of a command can move the cursor', () => {
  const { texts, streams } = createStreams()
  let nowMs = 0
  const renderer = liveRenderer(
    streams,
    options,
    () => 40,
    () => nowMs,
  )
  for (const event of events) {
    renderer.emit('root@a', event)
    nowMs += 1500
  }
  renderer.close()
  const lines = texts.stderr.split('\n').map((line) => line.split('\u001b[K').at(-1))
  assert.ok(lines.includes('1/2 write /x (1.5 s)'), texts.stderr)
  assert.ok(!texts.stderr.includes('\u001b[2J'))
  assert.ok(texts.stderr.endsWith('(2.0 s, 1 round trip)\n  next:  tappass bootstrap --host root@a\n'))
})
