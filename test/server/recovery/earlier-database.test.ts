/** Databases out of force: when they go, and what is lost with them, as rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EarlierDatabase, expiredEarlier } from '../../../server/recovery/earlier-database.ts'
import { entriesBeyond } from '../../../server/recovery/restoration-entry.ts'

const DAY_MS = 86_400_000
const now = Date.UTC(2026, 10, 27)
const database = (daysAgo: number): EarlierDatabase => ({
  ...{ name: `before-${daysAgo}`, keptMs: now - daysAgo * DAY_MS, keptAt: '', bytes: 1 },
})

const rows: readonly Readonly<{
  is: string
  ages: readonly number[]
  verified: number | undefined
  gone: readonly number[]
}>[] = [
  { is: 'an old one goes once a newer backup counts', ages: [9, 8, 3], verified: 1, gone: [9, 8] },
  { is: 'none goes before its days are over', ages: [7, 1], verified: 0, gone: [] },
  {
    is: 'none goes while the last backup that counts is older than the restoration',
    ages: [9, 20],
    verified: 10,
    gone: [20],
  },
  { is: 'none goes while no backup counts', ages: [100], verified: undefined, gone: [] },
]
for (const { is, ages, verified, gone } of rows)
  test(`databases out of force: ${is}`, () => {
    const verifiedMs = verified === undefined ? undefined : now - verified * DAY_MS
    const found = expiredEarlier(ages.map(database), verifiedMs, now, 7)
    assert.deepEqual(
      found,
      gone.map((age) => `before-${age}`),
    )
  })

test('entries that are in the one only: of chains that go on, and of chains that the other lacks', () => {
  const [one, other] = [
    new Map([
      ['a', 10],
      ['b', 5],
      ['c', 2],
    ]),
    new Map([
      ['a', 7],
      ['b', 9],
    ]),
  ]
  assert.deepEqual([entriesBeyond(one, other), entriesBeyond(one, one), entriesBeyond(other, one)], [5, 0, 4])
})
