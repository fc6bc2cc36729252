/** The rule by which backups go, as rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Backup, expiredBackups, type RetentionPolicy } from '../../../server/backups/retention.ts'

/** `2026-11-24` is a proven backup of that day at 03:17 UTC, `2026-11-24T09:00` another time, `~` in front: not proven. */
const backupOf = (written: string): Backup => {
  const name = written.replace('~', '')
  const time = name.includes('T') ? `${name}:00Z` : `${name}T03:17:00Z`
  return { name, takenMs: Date.parse(time), isVerified: !written.startsWith('~') }
}

const days = (count: number, last: string): readonly string[] =>
  Array.from({ length: count }, (_, ago) => new Date(Date.parse(last) - ago * 86_400_000).toISOString().slice(0, 10))

type Row = Readonly<{ name: string; there: readonly string[]; keep: RetentionPolicy; gone: readonly string[] }>

// 23 November 2026 is a Monday.
const rows: readonly Row[] = [
  { name: 'nothing there', there: [], keep: { daily: 7, weekly: 4 }, gone: [] },
  { name: 'the only one stays', there: ['2020-01-01'], keep: { daily: 1, weekly: 0 }, gone: [] },
  {
    name: 'the eighth day goes without weeks',
    there: days(8, '2026-11-24'),
    keep: { daily: 7, weekly: 0 },
    gone: ['2026-11-17'],
  },
  {
    name: 'days without a backup do not count as days',
    there: ['2026-11-24', '2026-10-01', '2026-09-01'],
    keep: { daily: 2, weekly: 0 },
    gone: ['2026-09-01'],
  },
  {
    name: 'of one day the newest stays',
    there: ['2026-11-24T02:00', '2026-11-24T09:00', '2026-11-24T23:59'],
    keep: { daily: 7, weekly: 4 },
    gone: ['2026-11-24T02:00', '2026-11-24T09:00'],
  },
  {
    name: 'a week keeps its newest, which is its Sunday',
    there: days(20, '2026-11-24'),
    keep: { daily: 1, weekly: 3 },
    gone: days(20, '2026-11-24')
      .filter((day) => !['2026-11-24', '2026-11-22', '2026-11-15'].includes(day))
      .toReversed(),
  },
  {
    name: 'an unproven one goes once a proven and newer one is there',
    there: ['~2026-11-23', '2026-11-24'],
    keep: { daily: 7, weekly: 4 },
    gone: ['2026-11-23'],
  },
  {
    name: 'an unproven one that is the newest stays, and takes the place of none',
    there: ['~2026-11-24', '2026-11-23', '2026-11-22'],
    keep: { daily: 1, weekly: 0 },
    gone: ['2026-11-22'],
  },
  {
    name: 'only unproven ones: the newest stays',
    there: ['~2026-11-24', '~2026-11-23'],
    keep: { daily: 1, weekly: 0 },
    gone: ['2026-11-23'],
  },
  {
    name: 'one from a wrong clock in the future does not push out the rest',
    there: ['2031-01-01', '2026-11-24', '2026-11-23'],
    keep: { daily: 2, weekly: 0 },
    gone: ['2026-11-23'],
  },
  {
    name: 'keep nothing still keeps the newest',
    there: ['2026-11-24', '2026-11-23'],
    keep: { daily: 0, weekly: 0 },
    gone: ['2026-11-23'],
  },
]

for (const { name, there, keep, gone } of rows) {
  test(`retention: ${name}`, () => {
    assert.deepEqual(
      expiredBackups(there.map(backupOf), keep).map((backup) => backup.name),
      gone,
    )
  })
}
