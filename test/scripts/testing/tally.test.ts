/** Counting: what a runner says, and what must count as failed though it doesn't say so. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { sumTallies, type Tally, tallyExit, tallyTap } from '../../../scripts/testing/tally.ts'

const tap = (pass: number, fail: number, cancelled = 0, before = '') =>
  `TAP version 13\n${before}# tests ${pass + fail}\n# pass ${pass}\n# fail ${fail}\n# cancelled ${cancelled}\n# skipped 0\n`

const rows: readonly (readonly [name: string, tap: string, exitCode: number | null, expected: Tally])[] = [
  ['all passed', tap(3, 0), 0, { passed: 3, failed: 0, leftOut: [] }],
  ['one failed', tap(2, 1), 1, { passed: 2, failed: 1, leftOut: [] }],
  ['cancelled counts as failed', tap(2, 0, 2), 1, { passed: 2, failed: 2, leftOut: [] }],
  ['no summary', 'TAP version 13\nok 1 - a\n', 0, { passed: 0, failed: 1, leftOut: [] }],
  ['nothing at all', '', null, { passed: 0, failed: 1, leftOut: [] }],
  ['no test', tap(0, 0), 0, { passed: 0, failed: 1, leftOut: [] }],
  ['a bad end though none failed', tap(3, 0), 7, { passed: 3, failed: 1, leftOut: [] }],
  ['a signal after the summary', tap(3, 0), null, { passed: 3, failed: 1, leftOut: [] }],
  ['a file without tests', tap(2, 0, 0, 'ok 1 - test/a.test.ts\n'), 0, { passed: 1, failed: 1, leftOut: [] }],
  [
    'skipped is left out',
    tap(1, 0, 0, '    ok 2 - boots # SKIP no root\n'),
    0,
    { passed: 1, failed: 0, leftOut: ['boots: no root'] },
  ],
]

describe('tally', () => {
  for (const [name, text, exitCode, expected] of rows) {
    test(name, () => assert.deepEqual(tallyTap(text, exitCode), expected))
  }
  test('a program', () =>
    assert.deepEqual(
      [0, 1, null].map((code) => tallyExit(code).failed),
      [0, 1, 1],
    ))
  test('a sum', () =>
    assert.deepEqual(sumTallies([tallyTap(tap(3, 1), 1), tallyExit(0)]), { passed: 4, failed: 1, leftOut: [] }))
})
