/** The share of the rounds of tests by chance. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareOf } from './rounds.ts'

test('a share of the rounds, one at least', () =>
  assert.deepEqual(
    ['1', '10', '33', '100'].map((percent) => [shareOf(3000, percent), shareOf(3, percent)]),
    [
      [30, 1],
      [300, 1],
      [990, 1],
      [3000, 3],
    ],
  ))

for (const percent of ['0', '101', '-5', 'all', ' ']) {
  test(`${JSON.stringify(percent)} is no share`, () => assert.throws(() => shareOf(10, percent), /from 1 to 100/))
}
