/**
 * Rate limiting: counts an agent's calls across all replicas. A limiter that can't count throws, and the step then
 * fails.
 */
import type { Finding } from '../core/finding.ts'
import { takeCall } from '../core/rate.ts'
import type { RemoteStep } from '../core/step.ts'

const EXCEEDED: Finding = { kind: 'rate.exceeded', severity: 'medium', pointer: '', span: [0, 0], confidence: 1 }

/** Kind `rate.exceeded`. Only the request is counted: its response is part of it. */
export const step: RemoteStep = {
  name: 'rate_limit',
  position: 110,
  category: 'access_control',
  stages: ['request'],
  isGate: true,
  timeoutMs: 5_000,
  inspect: async (call, { limiter, limits, nowMs }) => {
    const allowance = await takeCall(limiter, call.agent, limits, nowMs)
    return { findings: allowance.isAllowed ? [] : [EXCEEDED], allowance }
  },
}
