/** Decides: asks the policy about outcomes. */
import type { Call } from '../core/call.ts'
import type { StepOutcome } from '../core/step.ts'
import type { EndedSpan, SpanAttributes } from '../core/trace.ts'
import { ulid } from '../core/ulid.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Gateway } from './gateway.ts'
import { policyInput } from './policy-input.ts'

/**
 * Returns the verdict on a call. A policy that can't be reached blocks, and this is the line where it does. What tainted the
 * session before still does, whatever the policy says.
 */
export async function decide({ ports }: Gateway, call: Call, outcomes: readonly StepOutcome[]): Promise<Verdict> {
  const { policy, clock, random, meter } = ports
  const decisionId = `dec_${ulid(clock, random)}`
  const startMs = clock.elapsedMs()
  try {
    const verdict = await policy.decide(policyInput(call, outcomes), decisionId)
    const endMs = clock.elapsedMs()
    meter.observe('policy_seconds', (endMs - startMs) / 1000)
    call.trace?.span?.(policySpan(call, startMs, endMs, decidedAs(verdict)))
    return call.taint === undefined || call.taint.length === 0 ? verdict : withEarlierTaint(verdict, call.taint)
  } catch {
    meter.count('policy_failures')
    call.trace?.span?.(policySpan(call, startMs, clock.elapsedMs(), { 'error.type': 'policy.unavailable' }))
    return policyUnavailable(policy.revision, decisionId, call.taint)
  }
}

function policySpan({ stage }: Call, startMs: number, endMs: number, result: SpanAttributes): EndedSpan {
  return { type: 'policy', name: 'policy', startMs, endMs, attributes: { 'tappass.stage': stage, ...result } }
}

function decidedAs({ action, classification }: Verdict): SpanAttributes {
  return { 'tappass.action': action, 'tappass.classification': classification }
}

/** The verdict when the policy is unavailable. */
function policyUnavailable(policy: string, decisionId: string, all: readonly string[] = []): Verdict {
  const reasons = [{ step: 'policy', kind: 'policy.unavailable' }]
  return { policy, decisionId, classification: 'RESTRICTED', taint: { all, found: [] }, action: 'block', reasons }
}

function withEarlierTaint(verdict: Verdict, earlier: readonly string[]): Verdict {
  const { all, found } = verdict.taint
  return { ...verdict, taint: { all: [...new Set([...earlier, ...all])].sort(), found } }
}
