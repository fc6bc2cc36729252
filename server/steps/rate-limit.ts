/** Counts an agent's calls, together with all replicas. A limiter that can't count throws, and the step has then failed. */
import type { Step } from '../core/step.ts'

/** Kind `rate.exceeded`. Only the request is counted: an answer belongs to it. */
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
