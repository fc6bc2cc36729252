/** rate_limit asks the limiter about the agent, and says nothing of its own. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RateLimiter } from '../../../server/core/ports.ts'
import { step } from '../../../server/steps/rate-limit.ts'
import { callOf } from '../pipeline/call-fixture.ts'

const limits = { callsMax: 3, windowMs: 1000, bodyBytesMax: 1 }

function limiterThat(isAllowed: boolean | Error) {
  const asked: unknown[][] = []
  const take: RateLimiter['take'] = async (...question) => {
    asked.push(question)
    if (isAllowed instanceof Error) throw isAllowed
    return { isAllowed, remaining: 0, resetMs: 1 }
  }
  return { asked, limiter: { take, ping: async () => {}, close: async () => {} } }
}

test('asks for this agent in its organisation', async () => {
  const { asked, limiter } = limiterThat(true)
  assert.deepEqual(await step.inspect(callOf({}), { nowMs: 42, limiter, limits }), {
    findings: [],
    allowance: { isAllowed: true, remaining: 0, resetMs: 1, callsMax: 3 },
  })
  assert.deepEqual(asked, [['rl:default:bot', 3, 1000, 42]])
})

test('a refusal is a finding', async () => {
  const { limiter } = limiterThat(false)
  const { findings, allowance } = await step.inspect(callOf({}), { nowMs: 42, limiter, limits })
  assert.equal(allowance?.isAllowed, false)
  assert.deepEqual(
    findings.map(({ kind, confidence }) => [kind, confidence]),
    [['rate.exceeded', 1]],
  )
})

test('a limiter that cannot count fails the step', async () => {
  const { limiter } = limiterThat(new Error('out of reach'))
  await assert.rejects(async () => step.inspect(callOf({}), { nowMs: 42, limiter, limits }), /out of reach/)
})
