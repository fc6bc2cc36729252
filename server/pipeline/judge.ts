/**
 * Judges one stage of a call: run steps → decide → enforce → append to the ledger. What is enforced is a value; nothing
 * leaves unless all four succeed. A batch of a stream is judged by the same four calls, in stream/stream-reply.ts.
 */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Allowance } from '../core/ports.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Verdict } from '../core/verdict.ts'
import type { EntryDetails } from '../ledger/entry-builder.ts'
import { appendDecision, countFinding, type Decision } from './append.ts'
import { decide } from './decide.ts'
import { allFindings, type Enforcement, enforce } from './enforce.ts'
import type { Gateway } from './gateway.ts'
import { redactedFindings } from './redacted-finding.ts'
import { runSteps } from './step-runner.ts'

/** A decision that is in the ledger, and its enforcement. `allowance` is undefined when no step asked the limiter. */
export type RecordedDecision = Decision &
  Readonly<{ status: 'recorded'; allowance: Allowance | undefined; enforcement: Enforcement }>

/** Or one that the ledger could not store: nothing may leave. */
export type JudgeResult = RecordedDecision | Readonly<{ status: 'unrecorded'; cause: unknown }>

/** Judges a call whose body is complete. The entry commits to its text, and to what of it leaves when that differs. */
export async function judge(
  gateway: Gateway,
  call: Call & Readonly<{ text: string }>,
  details: EntryDetails,
): Promise<JudgeResult> {
  const { outcomes, allowance } = await runSteps(gateway, call)
  const decided = await decide(gateway, call, outcomes)
  const findings = await redactedFindings(gateway, call, outcomes, decided)
  const { verdict, enforcement } = enforced(gateway, call, findings, outcomes, decided)
  const released = enforcement.status === 'passed' && enforcement.text !== call.text ? enforcement.text : undefined
  const appended = await appendDecision(gateway, call, { outcomes, verdict }, call.text, details, released)
  if (appended.status === 'unrecorded') return appended
  for (const { kind } of allFindings(outcomes)) countFinding(gateway, kind)
  return { ...appended, outcomes, verdict, allowance, enforcement }
}

/** Enforces; what can't be redacted is refused, and the verdict says so. */
function enforced(
  gateway: Gateway,
  call: Call,
  findings: readonly Finding[],
  outcomes: readonly StepOutcome[],
  decided: Verdict,
): Readonly<{ verdict: Verdict; enforcement: Enforcement }> {
  try {
    return { verdict: decided, enforcement: enforce(call, findings, decided, gateway, outcomes) }
  } catch {
    const { policy, decisionId, classification } = decided
    const reasons = [{ step: 'redaction', kind: 'step.failed' }]
    const verdict: Verdict = { policy, decisionId, classification, action: 'block', reasons }
    return { verdict, enforcement: enforce(call, findings, verdict, gateway) }
  }
}
