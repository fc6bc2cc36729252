/**
 * Judges one stage of a call: run steps → decide → append to the ledger → enforce. Nothing leaves unless all four
 * succeed. A batch of a stream is judged by the same four calls, in stream/stream-reply.ts.
 */
import type { Call } from '../core/call.ts'
import type { Allowance } from '../core/ports.ts'
import type { EntryDetails } from '../ledger/entry-builder.ts'
import { appendDecision, countFinding, type Decision } from './append.ts'
import { decide } from './decide.ts'
import { allFindings, type Enforcement, enforce } from './enforce.ts'
import type { Gateway } from './gateway.ts'
import { runSteps } from './step-runner.ts'

/** A decision that is in the ledger, and its enforcement. `allowance` is undefined when no step asked the limiter. */
export type RecordedDecision = Decision &
  Readonly<{ status: 'recorded'; allowance: Allowance | undefined; enforcement: Enforcement }>

/** Or one that the ledger could not store: nothing may leave. */
export type JudgeResult = RecordedDecision | Readonly<{ status: 'unrecorded'; cause: unknown }>

/** Judges a call whose body is complete. `content` is the text that is committed to. */
export async function judge(
  gateway: Gateway,
  call: Call,
  content: string,
  details: EntryDetails,
): Promise<JudgeResult> {
  const { outcomes, allowance } = await runSteps(gateway, call)
  const verdict = await decide(gateway, call, outcomes)
  const appended = await appendDecision(gateway, call, { outcomes, verdict }, content, details)
  if (appended.status === 'unrecorded') return appended
  const findings = allFindings(outcomes)
  for (const { kind } of findings) countFinding(gateway, kind)
  const enforcement = enforce(call, findings, verdict, gateway.registry, outcomes)
  return { ...appended, outcomes, verdict, allowance, enforcement }
}
