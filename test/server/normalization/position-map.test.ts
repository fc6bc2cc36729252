/** Places of an edited text are mapped as a list of all its pieces would map them, in a few bytes an edit. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChance } from '../../../bench/body-generator.ts'
import { EditableText } from '../../../server/normalization/edited-text.ts'
import { ByteList } from '../../../server/normalization/position-map.ts'

/** Of each character of the result, the range of the source that it stands for. */
type Origin = readonly [start: number, end: number]

test('random edits', () => {
  const chance = createChance(7)
  for (let round = 0; round < 50; round++) {
    const source = 'x'.repeat(1 + chance.below(20_000))
    const edit = new EditableText(source, Number.POSITIVE_INFINITY)
    const origins: Origin[] = []
    let from = 0
    for (let edits = 1 + chance.below(200); edits > 0 && from < source.length; edits--) {
      const start = Math.min(source.length, from + chance.below(chance.pick([1, 2, 300])))
      const end = Math.min(source.length, start + chance.below(chance.pick([2, 40, 400])))
      const by = 'y'.repeat(chance.below(chance.pick([1, 3, 200])))
      edit.replace(start, end, by)
      for (let at = from; at < start; at++) origins.push([at, at + 1])
      for (let at = 0; at < by.length; at++) origins.push([start, end])
      from = end
    }
    for (let at = from; at < source.length; at++) origins.push([at, at + 1])
    const { text, span } = edit.finish() ?? assert.fail()
    assert.equal(text.length, origins.length)
    for (let sample = 0; sample < 200 && text.length > 0; sample++) {
      const first = chance.below(text.length)
      const last = first + chance.below(text.length - first)
      assert.deepEqual(span(first, last + 1), [origins[first]?.[0], origins[last]?.[1]], `${round}: ${first} ${last}`)
    }
  }
})

test('a short length takes a byte, and any is read again', () => {
  const list = new ByteList()
  for (let length = 0; length < 128; length++) list.pushLength(length)
  assert.equal(list.length, 128)
  const long = [128, 16_383, 16_384, 5_000_000]
  for (const length of long) list.pushLength(length)
  const reader = list.reader(128)
  assert.deepEqual(
    long.map(() => reader.next()),
    long,
  )
  assert.equal(reader.hasMore(), false)
})
