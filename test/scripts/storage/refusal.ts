/** What a refusal of storage elsewhere has to be. */
import assert from 'node:assert/strict'
import type { FailureText } from '../../../scripts/core/failure.ts'

/** Asserts that there is one, with what, where, why and the way out, and that none of the secrets is in it. */
export function assertRefusedOnce(
  refusals: readonly FailureText[],
  what: RegExp,
  also: RegExp,
  secrets: readonly string[],
): void {
  const [first, ...others] = refusals
  assert.match(first?.what ?? 'nothing was refused', what)
  assert.deepEqual(others, [])
  assert.match(`${first?.why} ${first?.next}`, also)
  assert.ok(first?.where !== undefined && first.next !== undefined)
  for (const secret of secrets) assert.equal(JSON.stringify(refusals).includes(secret), false)
}
