/** Drills as a table, and as lines of status. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DrillEntry, judgeDrills, listLines } from '../../../scripts/output/drill-table.ts'

const entry: DrillEntry = {
  ...{ drill: 'server', at: '2026-11-27T03:00:00.000Z', outcome: 'reached', rtoMs: 42_000, rpoMs: 7_200_000 },
  notes: [],
}
const about = { summary: 'what', touches: 'nothing', effect: '', goal: { rtoMs: 600_000, rpoMs: 0 } } as const

test('the table has the last figures beside the goals', () => {
  const table = listLines([
    { name: 'server', ...about, last: entry },
    { name: 'redis', ...about, touches: 'service', last: null },
  ])
  assert.match(table, /^server +nothing +2026-11-27T03:00 +reached +42\.0 s \(≤ 10\.0 min\) +2\.0 h \(≤ 0\) +what$/m)
  assert.match(table, /^redis +the service +never +– +– \(≤ 10\.0 min\) +– \(≤ 0\) +what$/m)
})

const states: readonly (readonly [Partial<DrillEntry>, RegExp, boolean])[] = [
  [{}, /^server 2026-11-27: reached its goal, RTO 42\.0 s$/, true],
  [{ outcome: 'missed' }, /missed its goal/, false],
  [
    { outcome: 'failed', rtoMs: null, rpoMs: null, notes: ['no space'] },
    /^server 2026-11-27: failed: no space$/,
    false,
  ],
]
for (const [change, state, isWell] of states)
  test(`status: ${state.source}`, () => {
    const older = JSON.stringify({ ...entry, outcome: 'failed' })
    const [condition, ...others] = judgeDrills([older, 'torn {', JSON.stringify({ ...entry, ...change })])
    assert.deepEqual([condition?.isWell, others], [isWell, []])
    assert.match(condition?.state ?? '', state)
  })

test('status: nothing without a drill', () => assert.deepEqual(judgeDrills([]), []))
