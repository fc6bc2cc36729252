/** Segments of the log and base backups: names, gaps, what is needed no more, as rows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  baseFor,
  baseProblem,
  expiredBases,
  expiredSegments,
  type JudgedBaseBackup,
  parseBaseBackup,
  reachOf,
  segmentOf,
} from '../../../server/backups/wal.ts'

const positions: readonly (readonly [timeline: number, position: string, isEnd: boolean, segment: string])[] = [
  [1, '0/2000028', false, '000000010000000000000002'],
  [1, '0/2000138', true, '000000010000000000000002'],
  // An end at the border of a segment is of the one before.
  [1, '0/3000000', true, '000000010000000000000002'],
  [1, '0/3000000', false, '000000010000000000000003'],
  [17, '1A/FF000028', false, '000000110000001A000000FF'],
]
for (const [timeline, position, isEnd, segment] of positions)
  test(`the segment of ${position}${isEnd ? ' as an end' : ''} is ${segment}`, () =>
    assert.equal(segmentOf(timeline, position, isEnd), segment))

const name = (number: number, timeline = 1, file = 0) =>
  [timeline, file, number].map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('')

test('the log reaches as far as there is no gap, over the end of a file and another timeline', () => {
  assert.equal(reachOf(name(2), []), undefined)
  assert.equal(reachOf(name(2), [name(3)]), undefined)
  assert.equal(reachOf(name(2), [name(2), name(3), name(5), 'x.history']), name(3))
  assert.equal(reachOf(name(254), [name(254), name(255), name(0, 1, 1)]), name(0, 1, 1))
  assert.equal(reachOf(name(2), [name(2), name(3, 2)]), name(3, 2))
})

const at = (day: number) => new Date(Date.UTC(2026, 10, day)).toISOString()
const base = (day: number, problem?: string, first = day): JudgedBaseBackup => ({
  ...{ format: 1, name: `base-${day}`, takenAt: at(day), endedAt: at(day), release: '1', systemId: '7', problem },
  ...{ firstWal: name(first), lastWal: name(first + 1), bytes: 1, sha256: 'a'.repeat(64) },
})

test('a base that waits for a segment is not good', () => {
  assert.equal(baseProblem(base(2), [name(2), name(3)]), undefined)
  assert.match(baseProblem(base(2), [name(2)]) ?? '', /waits for its WAL: 0{7}10{15}3 is/)
  assert.match(baseProblem(base(2), [name(3)]) ?? '', /waits for its WAL: 0{7}10{15}2 is/)
})

test('a moment is reached from the newest base before it that can be started', () => {
  const bases = [base(20), base(21), base(22, 'it waits'), base(23)]
  const found = (day: number) => baseFor(bases, Date.parse(at(day)))?.name
  assert.deepEqual([19, 20, 21, 22, 23, 30].map(found), [
    undefined,
    'base-20',
    'base-21',
    'base-21',
    'base-23',
    'base-23',
  ])
})

const retention: readonly Readonly<{
  is: string
  bases: readonly JudgedBaseBackup[]
  days?: number
  gone: readonly number[]
}>[] = [
  { is: 'of five nights the first two go', bases: [20, 21, 22, 23, 24].map((day) => base(day)), gone: [20, 21] },
  { is: 'the last one stays, however old', bases: [base(1)], gone: [] },
  { is: 'of old ones the newest stays', bases: [base(1), base(2)], gone: [1] },
  {
    is: 'one that waits goes once a newer one can be started',
    bases: [base(22), base(23, 'waits'), base(24)],
    gone: [23],
  },
  { is: 'one that waits stays while it is the newest', bases: [base(23), base(24, 'waits')], gone: [] },
  { is: 'without the setting all go', bases: [base(23), base(24)], days: 0, gone: [23, 24] },
]
for (const { is, bases, days = 2, gone } of retention)
  test(`bases: ${is}`, () =>
    assert.deepEqual(
      expiredBases(bases, Date.parse(at(24)), days),
      gone.map((day) => `base-${day}`),
    ))

test('segments before the oldest base go, histories stay; without a base all go', () => {
  const names = [
    `${name(1)}.gz`,
    `${name(2)}.gz`,
    `${name(2)}.00000028.backup.gz`,
    `${name(3)}.gz`,
    '00000002.history.gz',
  ]
  assert.deepEqual(expiredSegments(names, [base(24, undefined, 3), base(23, undefined, 2)]), [`${name(1)}.gz`])
  assert.deepEqual(expiredSegments(names, []), names.slice(0, 4))
})

test('a note of a base that is none is not taken for one', () => {
  const { problem: _, ...written } = base(20)
  assert.deepEqual(parseBaseBackup(JSON.stringify(written)), written)
  for (const wrong of [
    '',
    '{}',
    JSON.stringify({ ...written, firstWal: '../x' }),
    JSON.stringify({ ...written, systemId: '../..' }),
  ])
    assert.equal(parseBaseBackup(wrong), undefined)
})
