/**
 * Judges one stage of a call: run steps → decide → enforce → append to the ledger. What is enforced is a value; nothing
 * leaves unless all four succeed. A batch of a stream is judged by the same four calls, in stream/judged-stream.ts.
 */
import { type Call, LARGE_CHARS } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Inspector } from '../core/inspection.ts'
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

/** `call` is the call as it was read, which for a large one is known only now. */
export type JudgedCall = RecordedDecision & Readonly<{ call: Call & Readonly<{ text: string }> }>

/** Or a decision that the ledger could not store, or a large text that is no JSON object: nothing may leave. */
export type JudgeResult =
  | JudgedCall
  | Readonly<{ status: 'unrecorded'; cause: unknown }>
  | Readonly<{ status: 'malformed' }>

/** Judges a call whose body is complete. The entry commits to its text, and to what of it leaves when that differs. */
export async function judge(
  gateway: Gateway,
  given: Call & Readonly<{ text: string }>,
  details: EntryDetails | ((call: Call) => EntryDetails),
): Promise<JudgeResult> {
  const { outcomes, allowance, call: seen = given, isMalformed } = await runSteps(gateway, given)
  if (isMalformed) return { status: 'malformed' }
  const call = { ...seen, text: seen.text ?? given.text }
  const decided = await decide(gateway, call, outcomes)
  const found = allFindings(outcomes)
  const findings = decided.action === 'redact' ? await redactedFindings(gateway, call, outcomes, decided) : found
  const atOnce = enforced(gateway, call, findings, outcomes, decided)
  const { verdict, enforcement } = atOnce instanceof Promise ? await atOnce : atOnce
  const ownDetails = typeof details === 'function' ? details(call) : details
  const released = enforcement.status === 'passed' && enforcement.text !== call.text ? enforcement.text : undefined
  const appended = await appendDecision(gateway, call, { outcomes, verdict }, call.text, ownDetails, released)
  if (appended.status === 'unrecorded') return appended
  for (const { kind } of found) countFinding(gateway, kind)
  return { ...appended, outcomes, verdict, allowance, enforcement, call }
}

type Enforced = Readonly<{ verdict: Verdict; enforcement: Enforcement }>

/** Enforces, a large redaction in another thread; what can't be redacted is refused, and the verdict says so. */
function enforced(
  gateway: Gateway,
  call: Call,
  findings: readonly Finding[],
  outcomes: readonly StepOutcome[],
  verdict: Verdict,
): Enforced | Promise<Enforced> {
  const { inspector } = gateway
  const { text = '' } = call
  if (verdict.action === 'redact' && inspector !== undefined && text.length > LARGE_CHARS)
    return redactElsewhere(inspector, call, findings, verdict.kinds)
      .then((enforcement) => ({ verdict, enforcement }))
      .catch(() => unredacted(gateway, call, findings, verdict))
  try {
    return { verdict, enforcement: enforce(call, findings, verdict, gateway, outcomes) }
  } catch {
    return unredacted(gateway, call, findings, verdict)
  }
}

function unredacted(
  gateway: Gateway,
  call: Call,
  findings: readonly Finding[],
  { policy, decisionId, classification }: Verdict,
): Enforced {
  const reasons = [{ step: 'redaction', kind: 'step.failed' }]
  const verdict: Verdict = { policy, decisionId, classification, action: 'block', reasons }
  return { verdict, enforcement: enforce(call, findings, verdict, gateway) }
}

async function redactElsewhere(
  inspector: Inspector,
  { stage, text = '' }: Call,
  findings: readonly Finding[],
  kinds: readonly string[],
): Promise<Enforcement> {
  const redacted = await inspector.redact({ stage, text, findings, kinds })
  return { status: 'passed', body: { model: redacted.model }, text: redacted.text, redacted: kinds }
}
