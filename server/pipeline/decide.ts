/** Decides: asks the policy about outcomes. */
import type { Call } from '../core/call.ts'
import type { StepOutcome } from '../core/step.ts'
import { ulid } from '../core/ulid.ts'
import type { Verdict } from '../core/verdict.ts'
import type { Gateway } from './gateway.ts'
import { policyInput } from './policy-input.ts'

/** Returns the verdict on a call. A policy that can't be reached blocks, and this is the line where it does. */
export async function decide({ ports }: Gateway, call: Call, outcomes: readonly StepOutcome[]): Promise<Verdict> {
  const { policy, clock, random } = ports
  const decisionId = `dec_${ulid(clock, random)}`
  try {
    return await policy.decide(policyInput(call, outcomes), decisionId)
  } catch {
    return policyUnavailable(policy.revision, decisionId)
  }
}

/** The verdict when the policy is unavailable. */
function policyUnavailable(policy: string, decisionId: string): Verdict {
  const reasons = [{ step: 'policy', kind: 'policy.unavailable' }]
  return { policy, decisionId, classification: 'RESTRICTED', action: 'block', reasons }
}
