/** Judges one stage of a call: examine → decide → append to the ledger → enforce. Nothing is released unless all four end well. */
import type { Call } from '../core/call.ts'
import type { Entry } from '../core/entry.ts'
import type { Meter, Ports, RateLimiter } from '../core/ports.ts'
import type { Outcome, Step, Tools } from '../core/step.ts'
import { ulid } from '../core/ulid.ts'
import type { Verdict } from '../core/verdict.ts'
import { eventEntry, type Facts, judgementEntry, type Recorder } from '../ledger/entry-builder.ts'
import { allFindings, enforce, type Release } from './enforce.ts'
import type { KnownMessages } from './finding-cache.ts'
import { policyInput } from './policy-input.ts'
import { examine } from './step-runner.ts'

/** What governs: the steps, the hands, and the limits that steps are given. */
export type Gateway = Readonly<{
  steps: readonly Step[]
  ports: Ports
  limits: Tools['limits']
  commitmentKey: Uint8Array
  /** What was looked through before; without it everything is looked through each time. */
  known?: KnownMessages
}>

/** How much of its allowance the agent has left, as the limiter last said; undefined when no step asked. */
export type Allowance = Awaited<ReturnType<RateLimiter['take']>>

/** An assessment: what the steps saw, what the policy made of it. It is not recorded yet. */
export type Assessment = Readonly<{ outcomes: readonly Outcome[]; verdict: Verdict; allowance: Allowance | undefined }>

/** A judgement that is in the ledger, and what may leave. */
export type Judged = Assessment & Readonly<{ status: 'recorded'; auditId: string; release: Release }>

/** One that the ledger could not take: nothing may leave. */
export type Judgement = Judged | (Assessment & Readonly<{ status: 'unrecorded'; cause: unknown }>)

/** Takes outcomes, gives those that the policy is to decide on. A stream leaves out what may still change. */
export type Sift = (outcomes: readonly Outcome[]) => readonly Outcome[]

/** Examines and decides. A policy that can't be reached blocks, and this is the line where it does. */
export async function assess(gateway: Gateway, call: Call, sift: Sift = (all) => all): Promise<Assessment> {
  const { policy, clock, random, limiter, meter } = gateway.ports
  let allowance: Allowance | undefined
  const take: RateLimiter['take'] = async (...question) => {
    allowance = await limiter.take(...question)
    return allowance
  }
  const tools: Tools = { nowMs: clock.nowMs(), limiter: { take }, limits: gateway.limits }
  const outcomes = sift(await examine(gateway.steps, call, tools, clock, gateway.known))
  const decisionId = `dec_${ulid(clock, random)}`
  let verdict: Verdict
  try {
    verdict = await policy.decide(policyInput(call, outcomes), decisionId)
  } catch {
    verdict = unavailable(policy.revision, decisionId)
  }
  for (const { step, ms } of outcomes) meter.observe('step_seconds', step, ms / 1000)
  return { outcomes, verdict, allowance }
}

/** Puts an assessment into the ledger. `content` is the text that is committed to, `facts` stand beside the judgement. */
export async function inscribe(
  gateway: Gateway,
  call: Call,
  { outcomes, verdict }: Assessment,
  content: string,
  facts: Facts,
): Promise<Readonly<{ status: 'recorded'; auditId: string }> | Readonly<{ status: 'unrecorded'; cause: unknown }>> {
  const { meter } = gateway.ports
  const entry = judgementEntry(recorderOf(gateway), call, outcomes, verdict, content, facts)
  try {
    await append(gateway, entry)
  } catch (cause) {
    return { status: 'unrecorded', cause }
  }
  meter.count('judgements', { stage: call.stage, action: verdict.action })
  if (verdict.action === 'block') meter.count('pipeline_blocks', { step: verdict.reasons[0]?.step ?? 'policy' })
  return { status: 'recorded', auditId: entry.auditId }
}

/** Judges a call whose body is known as a whole. */
export async function judge(gateway: Gateway, call: Call, content: string, facts: Facts): Promise<Judgement> {
  const assessment = await assess(gateway, call)
  const inscribed = await inscribe(gateway, call, assessment, content, facts)
  if (inscribed.status === 'unrecorded') return { ...assessment, ...inscribed }
  const { outcomes, verdict } = assessment
  for (const finding of allFindings(outcomes)) meterFinding(gateway.ports.meter, finding.kind)
  return { ...assessment, ...inscribed, release: enforce(call, outcomes, verdict) }
}

/** The verdict in place of one that the policy could not give. */
function unavailable(policy: string, decisionId: string): Verdict {
  const reasons = [{ step: 'policy', kind: 'policy.unavailable' }]
  return { policy, decisionId, classification: 'RESTRICTED', action: 'block', reasons }
}

/** Counts a finding of personal data by its type. */
export function meterFinding(meter: Meter, kind: string): void {
  if (kind.startsWith('pii.')) meter.count('pii_detections', { type: kind.slice('pii.'.length) })
}

/** Records something that happened to a call beside its judgements. Rejects when the ledger can't take it. */
export async function record(
  gateway: Gateway,
  call: Call,
  eventType: string,
  severity: Entry['severity'],
  facts: Entry['details'],
  outcome: Partial<Pick<Entry, 'decision' | 'classification'>> = {},
): Promise<void> {
  await append(gateway, eventEntry(recorderOf(gateway), call, eventType, severity, facts, outcome))
}

/** Appends, and measures how long it took until the entry was durable. */
async function append({ ports: { ledger, meter, clock } }: Gateway, entry: Entry): Promise<void> {
  const startMs = clock.elapsedMs()
  await ledger.append(entry)
  meter.observe('ledger_seconds', '', (clock.elapsedMs() - startMs) / 1000)
}

function recorderOf({ ports, commitmentKey }: Gateway): Recorder {
  return { clock: ports.clock, random: ports.random, commitmentKey }
}
