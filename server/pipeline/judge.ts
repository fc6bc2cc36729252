/**
 * Judges one stage of a call: run steps → decide → enforce → append to the ledger. What is enforced is a value; nothing
 * leaves unless all four succeed. A batch of a stream is judged by the same four calls, in stream/judged-stream.ts.
 */
import { type Call, LARGE_CHARS } from '../core/call.ts'
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
import { knownTaint } from './session-taint.ts'
import { failedOutcome } from './step-run.ts'
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
  const { clock, meter } = gateway.ports
  const startMs = clock.elapsedMs()
  const result = await judgeCall(gateway, given, details)
  meter.observe('pipeline_seconds', (clock.elapsedMs() - startMs) / 1000, given.stage)
  return result
}

async function judgeCall(
  gateway: Gateway,
  given: Call & Readonly<{ text: string }>,
  details: EntryDetails | ((call: Call) => EntryDetails),
): Promise<JudgeResult> {
  // The database is asked while the steps compute.
  const known = knownTaint(gateway, given)
  const run = runSteps(gateway, given)
  const { outcomes: ofSteps, allowance, call: seen, isMalformed } = run instanceof Promise ? await run : run
  if (isMalformed) return { status: 'malformed' }
  const { taint, failure } = known instanceof Promise ? await known : known
  const outcomes = failure ? [...ofSteps, failure] : ofSteps
  const read = seen === undefined ? given : { ...seen, text: seen.text ?? given.text }
  const call = taint.length === 0 ? read : { ...read, taint }
  const decided = await decide(gateway, call, outcomes)
  // A promise only where something really waits.
  const enforced =
    decided.action === 'redact'
      ? await redacted(gateway, call, outcomes, decided)
      : enforcedHere(gateway, call, allFindings(outcomes), outcomes, decided)
  const judged = { call, outcomes, allowance, ...enforced }
  try {
    return await recorded(gateway, judged, typeof details === 'function' ? details(call) : details)
  } catch (cause) {
    // There is no entry of it as it was decided, so it is refused, with an entry that says no more than that.
    return recorded(gateway, unrecordable(gateway, judged, cause), {})
  }
}

/** A judged call before it is in the ledger. */
type Unrecorded = Omit<JudgedCall, 'status'>

/** Appends to the ledger. Throws when there can be no entry. */
async function recorded(gateway: Gateway, judged: Unrecorded, details: EntryDetails): Promise<JudgeResult> {
  const { call, outcomes, verdict, enforcement } = judged
  const released = enforcement.status === 'passed' && enforcement.text !== call.text ? enforcement.text : undefined
  const appended = await appendDecision(gateway, call, { outcomes, verdict }, call.text, details, released)
  if (appended.status === 'unrecorded') return appended
  for (const { kind } of allFindings(outcomes)) countFinding(gateway, kind)
  return { ...appended, ...judged }
}

/** The refusal of a call that has no entry as it was decided. */
function unrecordable(gateway: Gateway, { call: judged, verdict: decided, allowance }: Unrecorded, cause: unknown) {
  const call = { ...judged, model: '', segments: [] }
  const outcomes = [failedOutcome('ledger_entry', 0, cause)]
  const verdict = failedVerdict(decided, 'ledger_entry')
  return { call, outcomes, allowance, verdict, enforcement: enforce(call, [], verdict, gateway, outcomes) }
}

/** The verdict when something of the gateway's own has failed. */
function failedVerdict({ policy, decisionId, classification, taint }: Verdict, step: string): Verdict {
  return { policy, decisionId, classification, taint, action: 'block', reasons: [{ step, kind: 'step.failed' }] }
}

type Enforced = Readonly<{ verdict: Verdict; enforcement: Enforcement }>

/** Redacts, a large text in another thread; what can't be redacted is refused, and the verdict says so. */
async function redacted(
  gateway: Gateway,
  call: Call,
  outcomes: readonly StepOutcome[],
  verdict: Extract<Verdict, { action: 'redact' }>,
): Promise<Enforced> {
  const { inspector } = gateway
  const { stage, text = '' } = call
  try {
    const findings = await redactedFindings(gateway, call, outcomes, verdict)
    if (inspector === undefined || text.length <= LARGE_CHARS)
      return enforcedHere(gateway, call, findings, outcomes, verdict)
    const { kinds } = verdict
    const { model, text: released } = await inspector.redact({ stage, text, findings, kinds })
    return { verdict, enforcement: { status: 'passed', body: { model }, text: released, redacted: kinds } }
  } catch (cause) {
    return unenforceable(gateway, call, outcomes, verdict, cause)
  }
}

function enforcedHere(
  gateway: Gateway,
  call: Call,
  findings: readonly Finding[],
  outcomes: readonly StepOutcome[],
  verdict: Verdict,
): Enforced {
  try {
    return { verdict, enforcement: enforce(call, findings, verdict, gateway, outcomes) }
  } catch (cause) {
    return unenforceable(gateway, call, outcomes, verdict, cause)
  }
}

function unenforceable(
  gateway: Gateway,
  call: Call,
  outcomes: readonly StepOutcome[],
  decided: Verdict,
  cause: unknown,
): Enforced {
  const verdict = failedVerdict(decided, 'redaction')
  const failed = [failedOutcome('redaction', 0, cause)]
  return { verdict, enforcement: enforce(call, allFindings(outcomes), verdict, gateway, failed) }
}
