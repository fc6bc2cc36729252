/**
 * Evaluates one stage of a call: run steps → decide → append to the ledger → enforce. Nothing leaves unless all four
 * succeed.
 */
import type { Call } from '../core/call.ts'
import type { Entry } from '../core/entry.ts'
import { type FamilyRegistry, familyOf } from '../core/finding-family.ts'
import type { Ports, RateLimiter } from '../core/ports.ts'
import type { Step, StepContext, StepOutcome } from '../core/step.ts'
import { ulid } from '../core/ulid.ts'
import type { Verdict } from '../core/verdict.ts'
import { decisionEntry, type EntryContext, type EntryDetails, eventEntry } from '../ledger/entry-builder.ts'
import { allFindings, type Enforcement, enforce } from './enforce.ts'
import type { FindingCache } from './finding-cache.ts'
import { policyInput } from './policy-input.ts'
import { runSteps } from './step-runner.ts'

/** What governs calls: the steps, the families of their findings, the ports, and the limits that steps read. */
export type Gateway = Readonly<{
  steps: readonly Step[]
  registry: FamilyRegistry
  ports: Ports
  limits: StepContext['limits']
  commitmentKey: Uint8Array
  /** Findings of earlier calls; without it everything is scanned each time. */
  findingCache?: FindingCache
}>

/** The agent's remaining allowance, as the limiter last returned it; undefined when no step asked. */
export type Allowance = Awaited<ReturnType<RateLimiter['take']>>

/** An evaluation: the outcomes of the steps and the verdict of the policy. It is not recorded yet. */
export type Evaluation = Readonly<{
  outcomes: readonly StepOutcome[]
  verdict: Verdict
  allowance: Allowance | undefined
}>

/** A decision that is in the ledger, and its enforcement. */
export type RecordedDecision = Evaluation & Readonly<{ status: 'recorded'; auditId: string; enforcement: Enforcement }>

/** Or one that the ledger could not store: nothing may leave. */
export type JudgeResult = RecordedDecision | (Evaluation & Readonly<{ status: 'unrecorded'; cause: unknown }>)

/** Given outcomes, returns those that the policy is to decide on. A stream leaves out what may still change. */
export type Sift = (outcomes: readonly StepOutcome[]) => readonly StepOutcome[]

/** Runs the steps and decides. A policy that can't be reached blocks, and this is the line where it does. */
export async function evaluate(gateway: Gateway, call: Call, sift: Sift = (all) => all): Promise<Evaluation> {
  const { policy, clock, random, limiter, meter } = gateway.ports
  let allowance: Allowance | undefined
  const take: RateLimiter['take'] = async (...question) => {
    allowance = await limiter.take(...question)
    return allowance
  }
  const context: StepContext = { nowMs: clock.nowMs(), limiter: { take }, limits: gateway.limits }
  const outcomes = sift(await runSteps(gateway.steps, call, context, clock, gateway.findingCache))
  const decisionId = `dec_${ulid(clock, random)}`
  let verdict: Verdict
  try {
    verdict = await policy.decide(policyInput(call, outcomes), decisionId)
  } catch {
    verdict = policyUnavailable(policy.revision, decisionId)
  }
  for (const { step, ms } of outcomes) meter.observe('step_seconds', step, ms / 1000)
  return { outcomes, verdict, allowance }
}

/**
 * Appends an evaluation to the ledger. `content` is the text that is committed to, `details` are stored beside the
 * decision.
 */
export async function appendDecision(
  gateway: Gateway,
  call: Call,
  { outcomes, verdict }: Evaluation,
  content: string,
  details: EntryDetails,
): Promise<Readonly<{ status: 'recorded'; auditId: string }> | Readonly<{ status: 'unrecorded'; cause: unknown }>> {
  const { meter } = gateway.ports
  const entry = decisionEntry(entryContextOf(gateway), call, outcomes, verdict, content, details)
  try {
    await append(gateway, entry)
  } catch (cause) {
    return { status: 'unrecorded', cause }
  }
  meter.count('judgements', { stage: call.stage, action: verdict.action })
  if (verdict.action === 'block') meter.count('pipeline_blocks', { step: verdict.reasons[0]?.step ?? 'policy' })
  return { status: 'recorded', auditId: entry.auditId }
}

/** Evaluates a call whose body is complete. */
export async function judge(
  gateway: Gateway,
  call: Call,
  content: string,
  details: EntryDetails,
): Promise<JudgeResult> {
  const evaluation = await evaluate(gateway, call)
  const appended = await appendDecision(gateway, call, evaluation, content, details)
  if (appended.status === 'unrecorded') return { ...evaluation, ...appended }
  const { outcomes, verdict } = evaluation
  for (const finding of allFindings(outcomes)) countFinding(gateway, finding.kind)
  return { ...evaluation, ...appended, enforcement: enforce(call, outcomes, verdict, gateway.registry) }
}

/** The verdict when the policy is unavailable. */
function policyUnavailable(policy: string, decisionId: string): Verdict {
  const reasons = [{ step: 'policy', kind: 'policy.unavailable' }]
  return { policy, decisionId, classification: 'RESTRICTED', action: 'block', reasons }
}

/** Counts a finding by its kind, if its family is counted. */
export function countFinding({ ports, registry }: Gateway, kind: string): void {
  const family = familyOf(registry, kind)
  if (family?.counter !== undefined) ports.meter.count(family.counter, { type: kind.slice(family.name.length + 1) })
}

/** Appends an event of a call without a decision. Rejects when the ledger can't store it. */
export async function appendEvent(
  gateway: Gateway,
  call: Call,
  eventType: string,
  severity: Entry['severity'],
  details: Entry['details'],
  outcome: Partial<Pick<Entry, 'decision' | 'classification'>> = {},
): Promise<void> {
  await append(gateway, eventEntry(entryContextOf(gateway), call, eventType, severity, details, outcome))
}

/** Appends, and measures the time until the entry is durable. */
async function append({ ports: { ledger, meter, clock } }: Gateway, entry: Entry): Promise<void> {
  const startMs = clock.elapsedMs()
  await ledger.append(entry)
  meter.observe('ledger_seconds', '', (clock.elapsedMs() - startMs) / 1000)
}

function entryContextOf({ ports, commitmentKey }: Gateway): EntryContext {
  return { clock: ports.clock, random: ports.random, commitmentKey }
}
