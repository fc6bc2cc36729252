/** Base64 is an embedding when it is nothing but numbers of the size of an embedding's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEmbedding } from '../../../server/protocol/embedding.ts'
import { made, sequence } from '../rules/fixture.ts'

const floats = (...numbers: readonly number[]): string =>
  Buffer.from(new Float32Array(numbers).buffer).toString('base64')
const next = sequence(3)
const vector = Array.from({ length: 1536 }, () => (next() - 0.5) / 20)

const ROWS: readonly (readonly [what: string, text: string, isOne: boolean])[] = [
  ['a vector', floats(...vector), true],
  ['a vector with zeros', floats(0, -0, ...vector), true],
  ['numbers that are not normalized', floats(...vector.map((number) => number * 1000)), true],
  ['too few numbers', floats(0.1, 0.2), false],
  ['numbers of no size', floats(...vector, Number.NaN), false],
  ['letters', made(64, 'base64'), false],
  ['a key that is as long as numbers are', ['AKIA', made(16, 'upper')].join('').padEnd(64, 'A'), false],
  [
    'half a number',
    Buffer.from(floats(...vector), 'base64')
      .subarray(1)
      .toString('base64'),
    false,
  ],
  ['text', 'the words of a text', false],
]
for (const [what, text, isOne] of ROWS) {
  test(`${what}: ${isOne}`, () => assert.equal(isEmbedding(text), isOne))
}
