/** Room for bodies: what is taken is given back once, and never more than there is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBodyRoom } from '../../../server/governance/body-budget.ts'

test('a body gets in while there is room, and makes room when its call is over', () => {
  const room = makeBodyRoom(100)
  const first = room.enter(60)
  assert.ok(first)
  assert.equal(room.enter(41), undefined)
  const second = room.enter(40)
  assert.ok(second)
  assert.equal(room.enter(1), undefined)
  first()
  assert.ok(room.enter(60))
  second()
  assert.equal(room.enter(41), undefined)
})
