/** The log of drills: what stays of it, what is told of a drill beside the last one, and how figures are held to a goal. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isReached } from '../../../server/drill/drill.ts'
import {
  addEntry,
  type DrillEntry,
  drillLines,
  entryOf,
  lastMeasured,
  parseLog,
  readLog,
  withEntry,
} from '../../../server/drill/drill-log.ts'
import { listDrills, metricsText } from '../../../server/drill/report.ts'

const goal = { rtoMs: 10_000, rpoMs: 0 }
const about = { drill: 'container', at: '2026-11-27T03:00:00.000Z', release: 'r1', goal }
const entry = (change: Partial<DrillEntry>): DrillEntry => ({
  ...{ ...about, outcome: 'reached', rtoMs: 1200, rpoMs: 0, steps: [{ what: 'redis: back', ms: 900 }], notes: ['n'] },
  ...change,
})

const goals = [
  [{ rtoMs: 10_000, rpoMs: 0 }, true],
  [{ rtoMs: 10_001, rpoMs: 0 }, false],
  [{ rtoMs: 0, rpoMs: 1 }, false],
] as const
for (const [figures, isIt] of goals)
  test(`a goal of ${JSON.stringify(goal)} is ${isIt ? 'reached' : 'missed'} by ${JSON.stringify(figures)}`, () => {
    assert.equal(isReached(figures, goal), isIt)
    const result = entryOf(about, { ...figures, steps: [], notes: [] }, (each) => isReached(each, goal))
    assert.equal(result.outcome, isIt ? 'reached' : 'missed')
  })

test('one that failed has its reason, and no figures', () => {
  const failed = entryOf(about, { problem: 'no space' }, () => true)
  assert.deepEqual([failed.outcome, failed.rtoMs, failed.notes], ['failed', null, ['no space']])
  assert.deepEqual(drillLines(failed), ['drill container: failed', '  no space'])
  assert.equal(lastMeasured([entry({ rtoMs: 7 }), failed], 'container')?.rtoMs, 7)
})

test('what is told: steps, figures beside the goal and the last time', () => {
  assert.deepEqual(drillLines(entry({ outcome: 'missed', rtoMs: 12_000 }), entry({ rtoMs: 800 })), [
    'drill container: missed',
    '  redis: back  900 ms',
    '  RTO  12.0 s    goal: at most 10.0 s, MISSED; last time 800 ms',
    '  RPO  0 ms      goal: 0; last time 0 ms',
    '  note: n',
  ])
  assert.match(drillLines(entry({})).join('\n'), /no earlier one/)
})

test('the log is replaced as a whole, reads past a torn line, and keeps the last 120 of each drill', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'tappass-drill-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'log.jsonl'), `${JSON.stringify(entry({ rtoMs: 1 }))}\n{"drill":"conta`)
  await addEntry(folder, entry({ rtoMs: 2 }))
  assert.deepEqual(
    (await readLog(folder)).map(({ rtoMs }) => rtoMs),
    [1, 2],
  )
  assert.deepEqual(await readdir(folder), ['log.jsonl'])
  const many = Array.from({ length: 120 }, (_, rtoMs) => entry({ rtoMs }))
  const others = [entry({ drill: 'server' }), ...many]
  const kept = withEntry(others, entry({ rtoMs: 999 }))
  assert.deepEqual([kept.length, kept[0]?.drill, kept[1]?.rtoMs, kept.at(-1)?.rtoMs], [121, 'server', 1, 999])
  assert.deepEqual(parseLog('{"drill":1}\nnull\n'), [])
})

test('metrics: the last of each drill, and nothing of one that was never done', () => {
  const drills = ['container', 'server', 'redis'].map((name) => ({
    ...({ name, summary: '', touches: 'nothing', effect: '', goal } as const),
    run: () => Promise.reject(new Error('not here')),
  }))
  const listed = listDrills(drills, [
    entry({ rtoMs: 5 }),
    entry({ rtoMs: 1500 }),
    entry({ drill: 'server', outcome: 'failed', rtoMs: null, rpoMs: null }),
  ])
  assert.deepEqual(
    listed.map(({ last }) => last?.rtoMs),
    [1500, null, undefined],
  )
  const text = metricsText(listed)
  assert.match(text, /^tappass_drill_rto_seconds\{drill="container"\} 1\.5$/m)
  assert.match(text, /^tappass_drill_reached\{drill="server"\} 0$/m)
  assert.doesNotMatch(text, /rto_seconds\{drill="server"|drill="redis"/)
})
