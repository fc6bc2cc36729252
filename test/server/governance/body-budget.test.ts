/** Room for bodies: what is taken is given back once, never more than there is, and nobody gets all of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBodyBudget } from '../../../server/governance/body-budget.ts'

test('a body gets in while there is room, and makes room when its call is over', () => {
  const room = createBodyBudget(90)
  const first = room.reserve('one', 30)
  assert.ok(first)
  assert.ok(room.reserve('two', 30))
  assert.ok(room.reserve('three', 20))
  assert.equal(room.reserve('four', 11), undefined)
  assert.ok(room.reserve('four', 10))
  assert.equal(room.reserve('five', 1), undefined)
  first.release()
  first.release()
  assert.equal(room.reserve('five', 31), undefined)
  assert.ok(room.reserve('five', 30))
  assert.equal(room.reserve('six', 1), undefined)
})

test('an agent has a third of it', () => {
  const room = createBodyBudget(90)
  assert.equal(room.reserve('one', 31), undefined)
  const first = room.reserve('one', 20)
  assert.equal(room.reserve('one', 11), undefined)
  assert.ok(room.reserve('one', 10))
  assert.ok(room.reserve('two', 30))
  first?.release()
  assert.ok(room.reserve('one', 20))
})

test('a body that is read holds its own bytes only', () => {
  const room = createBodyBudget(90)
  const chunked = room.reserve('one', 30)
  chunked?.settle(3)
  const more = room.reserve('one', 27)
  assert.ok(more)
  // A body never needs more than was reserved for it.
  chunked?.settle(30)
  assert.equal(room.reserve('one', 1), undefined)
  chunked?.release()
  assert.ok(room.reserve('one', 3))
  assert.equal(room.reserve('one', 1), undefined)
  more.release()
  assert.ok(room.reserve('one', 27))
})
