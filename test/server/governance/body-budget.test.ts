/** Room for bodies: what is taken is given back once, and never more than there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBodyBudget } from '../../../server/governance/body-budget.ts'

test('a body gets in while there is room, and makes room when its call is over', () => {
  const room = createBodyBudget(100)
  const first = room.reserve(60)
  assert.ok(first)
  assert.equal(room.reserve(41), undefined)
  const second = room.reserve(40)
  assert.ok(second)
  assert.equal(room.reserve(1), undefined)
  first()
  assert.ok(room.reserve(60))
  second()
  assert.equal(room.reserve(41), undefined)
})
