/**
 * Rate limiting: counts an agent's calls across all replicas. A limiter that can't count throws, and the step then
 * fails.
 */
import type { Step } from '../core/step.ts'

/** Kind `rate.exceeded`. Only the request is counted: its response is part of it. */
export const step: Step = {
  name: 'rate_limit',
  position: 110,
  category: 'access_control',
  stages: ['request'],
  isGate: true,
  timeoutMs: 1_000,
  inspect: async (call, { limiter, limits, nowMs }) => {
    const key = `rl:${call.agent.org}:${call.agent.id}`
    const { isAllowed } = await limiter.take(key, limits.callsMax, limits.windowMs, nowMs)
    if (isAllowed) return []
    return [{ kind: 'rate.exceeded', severity: 'medium', pointer: '', span: [0, 0], confidence: 1 }]
  },
}
