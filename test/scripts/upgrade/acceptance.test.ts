/** Which releases were accepted, by a log in rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Generation } from '../../../scripts/history/entry.ts'
import { acceptances, durationOf, releaseBefore } from '../../../scripts/upgrade/acceptance.ts'

const digest = '0'.repeat(64)
/** A run: the release, how it ended, and how long it took. */
const runsOf = (
  ...rows: readonly (readonly [release: string, outcome: string, seconds: number])[]
): readonly Generation[] =>
  rows.map(([release, outcome, seconds], index) => {
    const at = new Date(Date.UTC(2026, 0, index + 1)).toISOString()
    const end = new Date(Date.UTC(2026, 0, index + 1, 0, 0, seconds)).toISOString()
    const place = { number: index + 1, previous: '' as const }
    const who = { operator: 'ada@desk', sshUser: '', sudoUser: '', verb: 'upgrade', release }
    return {
      number: index + 1,
      begun: { ...place, at, kind: 'begun', ...who, record: digest },
      end:
        outcome === 'interrupted'
          ? { ...place, at: end, kind: 'interrupted' }
          : { ...place, at: end, kind: 'ended', outcome, applied: 1, record: digest, state: digest },
    }
  })

const log = runsOf(
  ['A', 'up-to-date', 300],
  ['A', 'up-to-date', 2],
  ['B', 'rolled-back', 40],
  ['B', 'up-to-date', 60],
  ['C', 'interrupted', 10],
  ['C', 'unhealthy', 70],
  ['B', 'up-to-date', 50],
)

test('a release is accepted by the run that brought it to the end; others are not', () => {
  const found = acceptances(log).map(({ version, run, by, seconds }) => [version, run, by, seconds])
  assert.deepEqual(found, [
    ['A', 1, 'ada@desk', 300],
    ['B', 4, 'ada@desk', 60],
    ['C', 6, 'ada@desk', 70],
    ['B', 7, 'ada@desk', 50],
  ])
})

const rows = [
  { current: 'B', installed: ['A', 'B', 'C'], before: 'C' },
  { current: 'B', installed: ['A', 'B'], before: 'A' },
  { current: 'B', installed: ['B'], before: undefined },
  { current: 'A', installed: ['A', 'B', 'C'], before: undefined },
  { current: 'C', installed: ['A', 'B', 'C'], before: 'B' },
] as const
for (const { current, installed, before } of rows)
  test(`from ${current} with ${installed.join(' ')} one goes back to ${before}`, () =>
    assert.equal(releaseBefore(acceptances(log), current, installed), before))

test('the time is the middle of the last moves; the installation is none of them', () => {
  assert.deepEqual(durationOf(acceptances(log)), { seconds: 60, runs: 3 })
  assert.deepEqual(durationOf(acceptances(log.slice(0, 2))), { seconds: undefined, runs: 0 })
})
