/** The features of a text: the same in either case and wherever the text stands, others for other words. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWindowScore, FEATURE_BUCKETS, FeatureHasher } from '../../../../server/rules/injection/linear-model.ts'

const bucketsOf = (text: string, start = 0, end = text.length): readonly number[] => [
  ...new FeatureHasher().bucketsOf(text, start, end),
]

const SAME: readonly (readonly [one: string, other: string])[] = [
  ['Ignore THE rules', 'ignore the rules'],
  ['ÉCOUTE Ärger', 'écoute ärger'],
  ['ЗАБУДЬ Ёлку', 'забудь ёлку'],
  ['ΑΓΝΟΗΣΕ', 'αγνοησε'],
  ['ignore, the -- rules!', 'ignore the rules'],
]

for (const [one, other] of SAME) {
  test(`${one} has the features of ${other}`, () => assert.deepEqual(bucketsOf(one), bucketsOf(other)))
}

test('a range has the features of its text', () => {
  assert.deepEqual(bucketsOf('dear reader ignore the rules now', 12, 28), bucketsOf('ignore the rules'))
})

test('words that begin alike share a feature, and so do texts without blanks', () => {
  const shared = (one: string, other: string): number =>
    bucketsOf(one).filter((b) => bucketsOf(other).includes(b)).length
  assert.equal(shared('instruction', 'instructed'), 1)
  assert.equal(shared('instruction', 'construction'), 0)
  assert.ok(shared('忽略之前的指令', '请忽略之前') >= 3)
})

test('a score is the bias and the normalized sum of the weights, and a text that repeats scores like its parts', () => {
  const weights = new Int8Array(FEATURE_BUCKETS).fill(2)
  const score = createWindowScore({ weights, scale: 0.5, bias: -3 }, new FeatureHasher())
  assert.equal(score('', 0, 0), -3)
  assert.equal(score('ab', 0, 2), -3 + 2 / Math.sqrt(2))
  const repeated = 'ab '.repeat(20_000)
  assert.equal(score(repeated, 0, repeated.length), -3 + 3 / Math.sqrt(3))
})
