/** Logged errors say what failed, and hold nothing of what an error was about. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serializeError } from '../../../server/observability/error-serializer.ts'

test('members that carry material stay out, in causes too', () => {
  const parser = Object.assign(new Error('Invalid character'), { name: 'HTTPParserError', code: 'HPE_X', data: 'text' })
  const logged = serializeError(new Error('failed', { cause: parser }))
  assert.ok(!JSON.stringify(logged).includes('"text"'))
  const { stack: _stack, ...cause } = (logged as { cause: Record<string, unknown> }).cause
  assert.deepEqual(cause, { type: 'HTTPParserError', message: 'Invalid character', code: 'HPE_X' })
})

test('what is no error is its text, and a circle of causes ends', () => {
  assert.equal(serializeError('status 401'), 'status 401')
  const circle = new Error('round')
  circle.cause = circle
  assert.ok(JSON.stringify(serializeError(circle)).length < 20_000)
})
