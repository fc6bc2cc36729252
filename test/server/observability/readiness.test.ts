/** Readiness: those who ask at the same time share one round of probes, and the next who asks gets a new one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createReadiness } from '../../../server/observability/readiness.ts'

test('a thousand questions at once cost one probe, and the answer is not kept', async () => {
  let probes = 0
  let answer = Promise.withResolvers<void>()
  const database = (): Promise<void> => {
    probes += 1
    return answer.promise
  }
  const readiness = createReadiness({ database }, () => 0)
  readiness.start()
  const asked = Array.from({ length: 1000 }, () => readiness.check())
  assert.equal(probes, 1)
  answer.resolve()
  assert.ok((await Promise.all(asked)).every(({ isReady }) => isReady))
  answer = Promise.withResolvers<void>()
  const next = readiness.check()
  answer.reject(new Error('away'))
  assert.equal((await next).isReady, false)
  assert.equal(probes, 2)
})
