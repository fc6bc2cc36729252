/** The three renderers, over every kind of event. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event } from '../../../scripts/output/event.ts'
import { jsonRenderer, liveRenderer, plainRenderer } from '../../../scripts/output/renderer.ts'

const value = ['tp', 'seen-once'].join('_')
const failure = {
  resource: 'unit:x',
  does: 'start x',
  command: 'systemctl start x',
  code: 1,
  said: ['no'],
  next: 'tappass bootstrap',
  journal: { unit: 'x', lines: ['log'] },
}
const health = { isWell: true, release: '1', gateway: 'healthy', units: [], lastBackup: undefined }

const events: readonly Event[] = [
  { event: 'run-started', verb: 'bootstrap' },
  { event: 'refused', reasons: [{ what: 'port 80 is taken', why: 'nginx listens', next: 'stop it' }] },
  {
    event: 'plan',
    resources: 2,
    changes: [
      {
        resource: 'file:/x',
        does: 'write /x',
        because: 'it is absent',
        diff: '--- /dev/null\n+++ /x\n@@ -0,0 +1,1 @@\n+a\n',
      },
    ],
  },
  { event: 'plan', resources: 2, changes: [] },
  { event: 'lock-taken-over', owner: 'ada', because: 'its process has ended' },
  { event: 'step-started', step: 1, steps: 2, resource: 'file:/x', does: 'write /x', because: 'it is absent' },
  { event: 'command-started', step: 1, command: 'apt-get update' },
  { event: 'said', step: 1, line: 'Reading…\u001b[2J' },
  { event: 'step-finished', step: 1, steps: 2, resource: 'file:/x', isApplied: true, ms: 1500 },
  { event: 'step-failed', step: 2, steps: 2, failure },
  { event: 'secret', id: 'key', value },
  { event: 'health', ...health },
  { event: 'error', failure: { what: 'gone', next: 'run it again' } },
  { event: 'settings', source: '/s' },
  { event: 'warning', warning: { what: 'it is open', why: 'http', next: 'use https' } },
  { event: 'run-finished', outcome: 'failed', exitCode: 1, applied: 1, remaining: 1, ms: 2000, roundTrips: 9 },
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

const paperOf = () => {
  const sheets = { out: '', talk: '' }
  return {
    sheets,
    paper: {
      out: (text: string) => {
        sheets.out += text
      },
      talk: (text: string) => {
        sheets.talk += text
      },
    },
  }
}

test('json: one object a line, with version, time and host; nothing beside them', () => {
  const { sheets, paper } = paperOf()
  const renderer = jsonRenderer(paper, () => Date.parse('2026-11-24T00:00:00Z'))
  for (const event of events) renderer.tell('root@a', event)
  const rows = sheets.out.trimEnd().split('\n')
  assert.deepEqual(
    rows.map((row) => JSON.parse(row)),
    JSON.parse(
      JSON.stringify(events.map((event) => ({ v: 1, at: '2026-11-24T00:00:00.000Z', host: 'root@a', ...event }))),
    ),
  )
  assert.equal(sheets.talk, '')
})

const plainText = `this host is refused; nothing was changed:
- port 80 is taken
  why:   nginx listens
  next:  stop it
1 change:
  ~ write /x
      because it is absent   [file:/x]
      --- /dev/null
      +++ /x
      @@ -0,0 +1,1 @@
      +a
0 changes: all 2 resources are as wanted
took over the lock of ada: its process has ended
1/2 write /x
1/2 done (1.5 s)
2/2 FAILED: start x   [unit:x]
  ran:  systemctl start x
  code: 1
  said:
    no
  journal of x:
    log
  next: tappass bootstrap
tappass: gone
  next:  run it again
no --config: settings are those in force there (/s)
warning: it is open
  why:   http
  next:  use https
failed, 1 change made, 1 step left; run it again to go on (2.0 s, 9 round trips)
changes are pending (2.0 s, 1 round trip)
  next:  tappass bootstrap --host root@a
`

test('plain: lines for people on the talking side, no secret among them', () => {
  const { sheets, paper } = paperOf()
  for (const event of events) plainRenderer(paper, false, false).tell('root@a', event)
  assert.equal(sheets.talk, plainText)
  assert.equal(sheets.out, '')
})

test('plain: of several hosts every line says whose it is; a plan that was asked for is data', () => {
  const { sheets, paper } = paperOf()
  for (const event of events) plainRenderer(paper, true, true).tell('root@a', event)
  for (const line of (sheets.out + sheets.talk).trimEnd().split('\n')) assert.ok(line.startsWith('root@a: '), line)
  assert.match(sheets.out, /^root@a: 1 change:\n.*write \/x/)
  assert.ok(!sheets.talk.includes('write /x\nroot@a:       because'))
})

test('live: one line moves, what happened stays, nothing that a program says can move the cursor', () => {
  const { sheets, paper } = paperOf()
  let nowMs = 0
  const renderer = liveRenderer(
    paper,
    false,
    () => 40,
    () => nowMs,
  )
  for (const event of events) {
    renderer.tell('root@a', event)
    nowMs += 1500
  }
  renderer.close()
  const lines = sheets.talk.split('\n').map((line) => line.split('\u001b[K').at(-1))
  assert.ok(lines.includes('1/2 write /x (1.5 s)'), sheets.talk)
  assert.ok(!sheets.talk.includes('\u001b[2J'))
  assert.ok(!sheets.talk.includes(value))
  assert.ok(sheets.talk.endsWith('(2.0 s, 1 round trip)\n  next:  tappass bootstrap --host root@a\n'))
})
