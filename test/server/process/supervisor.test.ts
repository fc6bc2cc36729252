/** What systemd is told: figures not too often, what is not well at once; and a probe that is not made again and again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { probeAsDependency, servingStatus } from '../../../server/process/supervisor.ts'

test('the status begins with its word, and ends with the figures', () => {
  const figures = { inFlight: 3, calls: 120, failed: 1 }
  assert.equal(servingStatus('http://x', figures), 'STATUS=serving http://x; 3 in flight, 120 calls, 1 failed')
})

test('a probe that failed is made again after ten seconds, not before; one that threw is a failure, too', async () => {
  let [nowMs, made] = [0, 0]
  const results = [async () => 'policy.blocked', () => Promise.reject(new Error('away')), async () => undefined]
  const missing = probeAsDependency(() => (results[made++] as () => Promise<string | undefined>)(), {
    elapsedMs: () => nowMs,
  })
  const seen: unknown[] = []
  for (const at of [0, 100, 9_999, 10_000, 15_000, 20_000]) {
    nowMs = at
    seen.push([made, await missing()])
  }
  const blocked = ['a governed call (policy.blocked)']
  const away = ['a governed call (away)']
  assert.deepEqual(seen, [
    [0, blocked],
    [1, blocked],
    [1, blocked],
    [1, away],
    [2, away],
    [2, []],
  ])
})
