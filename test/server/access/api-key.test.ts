/** Keys, ids and roles. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey, isKeyShaped, isSameHash, storedKey } from '../../../server/access/api-key.ts'
import { isAtLeast, parseRole } from '../../../server/access/role.ts'
import { createRandom } from '../../../server/adapters/system.ts'
import { ulid } from '../../../server/core/ulid.ts'

const random = createRandom()

for (const [kind, form] of Object.entries({
  agent: /^tp_[\w-]{43}$/,
  developer: /^tp_dev_[\w-]{43}$/,
  pat: /^tp_pat_[\w-]{43}$/,
})) {
  test(`a new key: ${kind}`, () => {
    const key = createKey(kind as 'agent', random)
    assert.match(key, form)
    assert.ok(isKeyShaped(key))
    assert.notEqual(key, createKey(kind as 'agent', random))
    const { hash, prefix } = storedKey(key)
    assert.match(hash, /^[0-9a-f]{64}$/)
    assert.equal(prefix, key.slice(0, 10))
  })
}

test('what is no key is not looked up', () => {
  for (const text of [
    '',
    'tp_',
    'tp_short',
    `xx_${'a'.repeat(43)}`,
    `tp_${'a'.repeat(300)}`,
    `tp_${'a'.repeat(20)}'--`,
  ]) {
    assert.equal(isKeyShaped(text), false, text)
  }
})

test('secrets are compared whole', () => {
  const hashOf = (text: string): string => storedKey(text).hash
  assert.equal(isSameHash(hashOf('abc'), hashOf('abc')), true)
  for (const other of ['abd', 'ab', 'abcd', '']) assert.equal(isSameHash(hashOf('abc'), hashOf(other)), false)
})

test('roles are in order, and names of none are none', () => {
  assert.equal(parseRole('admin'), 'ADMIN')
  assert.equal(parseRole('toString'), undefined)
  assert.equal(parseRole('ROOT'), undefined)
  const order = ['EMPLOYEE', 'AUDITOR', 'DEVELOPER', 'ADMIN', 'PLATFORM'] as const
  for (const [place, role] of order.entries()) {
    assert.deepEqual(
      order.map((least) => isAtLeast(role, least)),
      order.map((_, index) => index <= place),
    )
  }
  assert.equal(isAtLeast('AGENT', 'AUDITOR'), false)
})

test('ids sort by time, and two of the same moment differ', () => {
  const at = (nowMs: number): string => ulid({ nowMs: () => nowMs, elapsedMs: () => 0 }, random)
  assert.equal(at(1_732_500_000_000).slice(0, 10), '01JDGGR380')
  assert.ok(at(1_732_500_000_000) < at(1_732_500_000_001))
  assert.notEqual(at(5), at(5))
  assert.match(at(5), /^[0-9A-HJKMNP-TV-Z]{26}$/)
})

test('randomness is handed out once, in any size', () => {
  const seen = new Set(Array.from({ length: 2000 }, () => Buffer.from(random.bytes(8)).toString('hex')))
  assert.equal(seen.size, 2000)
  assert.equal(random.bytes(10_000).length, 10_000)
})
