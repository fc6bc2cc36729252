/** Canonical JSON, and ids, keys and roles that are built from plain values. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson } from '../../../server/core/canonical-json.ts'

const ROWS: readonly (readonly [value: unknown, text: string])[] = [
  [{ b: 1, a: 2 }, '{"a":2,"b":1}'],
  [{ b: { d: [1, { z: 1, y: 2 }], c: null }, a: 'ü\n"' }, '{"a":"ü\\n\\"","b":{"c":null,"d":[1,{"y":2,"z":1}]}}'],
  [{ a: undefined, b: 1 }, '{"b":1}'],
  [[undefined, 1.5, true], '[null,1.5,true]'],
  ['\u2028', '"\u2028"'],
  [{}, '{}'],
  [{ Z: 1, a: 2, A: 3 }, '{"A":3,"Z":1,"a":2}'],
]

for (const [value, text] of ROWS) {
  test(`canonical ${text}`, () => {
    assert.equal(canonicalJson(value), text)
    assert.equal(canonicalJson(JSON.parse(text)), text)
  })
}

test('names that look like numbers are in the order of their characters, as all others', () => {
  assert.equal(canonicalJson({ 10: 'a', 2: 'b', a: { 1: 'x', 0: 'y' } }), '{"10":"a","2":"b","a":{"0":"y","1":"x"}}')
})
