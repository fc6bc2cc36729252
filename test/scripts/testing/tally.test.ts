/** Counting: what a runner reports, and what must count as failed though it doesn't say so. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  describeNodes,
  readExit,
  readReport,
  type Tally,
  type TestResult,
  tallyResults,
} from '../../../scripts/testing/tally.ts'

const line = (name: string, outcome: string, reason?: string) =>
  `${JSON.stringify({ kind: 'test', at: 'a.test.ts', names: [name], outcome, reason })}\n`
const end = '{"kind":"end"}\n'
const good = line('x', 'passed') + line('y', 'passed')

const rows: readonly (readonly [name: string, report: string, exitCode: number | null, expected: Tally])[] = [
  ['all passed', good + end, 0, { passed: 2, failed: 0, leftOut: [] }],
  ['one failed', good + line('z', 'failed') + end, 1, { passed: 2, failed: 1, leftOut: [] }],
  ['cut off', good, 0, { passed: 2, failed: 1, leftOut: [] }],
  ['cut off within a line', `${good}{"kind":"te`, null, { passed: 2, failed: 1, leftOut: [] }],
  ['nothing at all', '', null, { passed: 0, failed: 1, leftOut: [] }],
  ['no test', end, 0, { passed: 0, failed: 1, leftOut: [] }],
  ['a bad end though none failed', good + end, 7, { passed: 2, failed: 1, leftOut: [] }],
  ['a signal after the end', good + end, null, { passed: 2, failed: 1, leftOut: [] }],
  ['two of one name', line('x', 'passed') + line('x', 'failed') + end, 1, { passed: 1, failed: 1, leftOut: [] }],
  [
    'skipped is left out',
    line('x', 'passed') + line('boots', 'left out', 'no root') + end,
    0,
    { passed: 1, failed: 0, leftOut: ['a.test.ts: boots: no root'] },
  ],
]

describe('the report of a run', () => {
  for (const [name, report, exitCode, expected] of rows) {
    test(name, () => assert.deepEqual(tallyResults(readReport('run', report, exitCode).results), expected))
  }
  test('a program', () =>
    assert.deepEqual(
      [0, 1, null].map((code) => tallyResults(readExit('p', code).results).failed),
      [0, 1, 1],
    ))
})

describe('the same tests on several Nodes', () => {
  const results = (...outcomes: readonly TestResult['outcome'][]): readonly TestResult[] =>
    outcomes.map((outcome, index) => ({ id: `test ${index}`, outcome, reason: 'why' }))
  const on26 = results('passed', 'passed', 'passed', 'left out', 'left out')
  const on24 = results('passed', 'failed', 'left out', 'left out')

  test('each counts once, and has failed when it failed on one of them', () =>
    assert.deepEqual(tallyResults([...on26, ...on24]), {
      passed: 2,
      failed: 1,
      leftOut: ['test 3: why', 'test 4: why'],
    }))

  test('what ran where is said', () =>
    assert.deepEqual(
      describeNodes([
        { node: '26.1.0', results: on26 },
        { node: '24.1.0', results: on24 },
        { node: '26.1.0', results: [{ id: 'lab', outcome: 'passed' }] },
      ]),
      ['2 tests on Node 26.1.0 and 24.1.0', '2 tests on Node 26.1.0'],
    ))
})
