/** When a stream is judged. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JudgementPace } from '../../../server/stream/judgement-pace.ts'

test('the first text is judged at once, the next after a rest that is some times what the judgement took', () => {
  let nowMs = 100
  const pace = new JudgementPace({ elapsedMs: () => nowMs })
  const little = { newChars: 4, heldChars: 20 }
  assert.equal(pace.waitMs(little), 0)
  pace.judged(little)
  const restMs = pace.waitMs(little)
  assert.ok(restMs > 0 && restMs < 5, `${restMs}`)
  nowMs += restMs
  assert.equal(pace.waitMs(little), 0)
})

test('after much held text the rest is longer, but much new text is judged at once', () => {
  const pace = new JudgementPace({ elapsedMs: () => 0 })
  pace.judged({ newChars: 4, heldChars: 64_000 })
  assert.ok(pace.waitMs({ newChars: 4, heldChars: 64_000 }) > 300)
  assert.ok(pace.waitMs({ newChars: 7_000, heldChars: 64_000 }) > 300)
  assert.equal(pace.waitMs({ newChars: 8_000, heldChars: 64_000 }), 0)
  assert.equal(pace.waitMs({ newChars: 256, heldChars: 300 }), 0)
})
