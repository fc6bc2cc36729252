/** Runs the steps over a call. Every step ends in an outcome; nothing is thrown, nothing decided. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Clock } from '../core/ports.ts'
import { GATE_REFUSED, type Step, type StepContext, type StepOutcome } from '../core/step.ts'
import type { CacheLookup, FindingCache, StepFindings } from './finding-cache.ts'

class StepTimeout extends Error {
  override readonly name = 'StepTimeout'
}

/**
 * Returns one outcome for each step of the call's stage: gates first, else in the order of `steps`. When a gate
 * refuses, the others are skipped. Asynchronous steps run concurrently. A synchronous step counts even when it was
 * slow: its findings are complete.
 */
export async function runSteps(
  steps: readonly Step[],
  call: Call,
  context: StepContext,
  clock: Clock,
  cache?: FindingCache,
): Promise<readonly StepOutcome[]> {
  const gates: Step[] = []
  const others: Step[] = []
  for (const step of steps) {
    if (step.stages.includes(call.stage)) (step.isGate ? gates : others).push(step)
  }
  if (gates.length === 0) return runUngated(others, call, context, clock, cache)
  const passed: StepOutcome[] = []
  // All are started before the first is awaited.
  for (const outcome of gates.map((step) => runStep(step, call, context, clock))) {
    passed.push(outcome instanceof Promise ? await outcome : outcome)
  }
  if (!passed.every(hasPassed)) return [...passed, ...others.map(skipped)]
  return [...passed, ...(await runUngated(others, call, context, clock, cache))]
}

function hasPassed(gate: StepOutcome): boolean {
  return gate.status === 'done' && gate.findings.length === 0
}

function skipped({ name }: Step): StepOutcome {
  return { step: name, ms: 0, status: 'skipped', reason: GATE_REFUSED }
}

/** Runs steps that are not gates, cacheable ones only on what is not cached. */
function runUngated(
  steps: readonly Step[],
  call: Call,
  context: StepContext,
  clock: Clock,
  cache: FindingCache | undefined,
): readonly StepOutcome[] | Promise<readonly StepOutcome[]> {
  // Responses are new each time; requests repeat the conversation so far.
  const lookup = call.stage === 'request' ? cache?.lookup(call.agent.org, call.segments) : undefined
  const cacheable = lookup && {
    lookup: lookup,
    call: { ...call, segments: lookup.misses },
    found: [] as StepFindings[],
  }
  const outcomes: (StepOutcome | Promise<StepOutcome>)[] = []
  let isAsync = false
  let areCacheableDone = true
  for (const step of steps) {
    const outcome =
      cacheable && step.isCacheable
        ? runCacheable(step, cacheable, context, clock)
        : runStep(step, call, context, clock)
    isAsync ||= outcome instanceof Promise
    areCacheableDone &&= !step.isCacheable || ('status' in outcome && outcome.status === 'done')
    outcomes.push(outcome)
  }
  // A step that failed has not scanned them.
  if (cacheable && areCacheableDone) cacheable.lookup.store(cacheable.found)
  // Most steps are synchronous, and need no turn of the event loop.
  return isAsync ? Promise.all(outcomes) : (outcomes as StepOutcome[])
}

function runStep(step: Step, call: Call, context: StepContext, clock: Clock): StepOutcome | Promise<StepOutcome> {
  const startMs = clock.elapsedMs()
  try {
    const findings = step.inspect(call, context)
    return findings instanceof Promise
      ? withTimeout(step, findings, startMs, clock)
      : doneOutcome(step, startMs, clock, findings)
  } catch (cause) {
    return failedOutcome(step, startMs, clock, cause)
  }
}

/** What cacheable steps scan, and what they found there. */
type CacheableRun = Readonly<{ lookup: CacheLookup; call: Call; found: StepFindings[] }>

/** Runs a step only on what is not cached. */
function runCacheable(
  step: Step,
  { lookup, call, found }: CacheableRun,
  context: StepContext,
  clock: Clock,
): StepOutcome {
  const startMs = clock.elapsedMs()
  try {
    const fresh = call.segments.length === 0 ? [] : step.inspect(call, context)
    if (fresh instanceof Promise) throw new TypeError(`${step.name} is cacheable and has to be synchronous`)
    const findings = lookup.merge(step.name, fresh)
    found.push([step.name, fresh])
    return doneOutcome(step, startMs, clock, findings)
  } catch (cause) {
    return failedOutcome(step, startMs, clock, cause)
  }
}

function doneOutcome({ name }: Step, startMs: number, clock: Clock, findings: readonly Finding[]): StepOutcome {
  return { step: name, ms: clock.elapsedMs() - startMs, status: 'done', findings }
}

function failedOutcome({ name }: Step, startMs: number, clock: Clock, cause: unknown): StepOutcome {
  return { step: name, ms: clock.elapsedMs() - startMs, status: 'failed', reason: failureReason(cause) }
}

/** Only names and codes: the message of an error may quote the text that a step was reading. */
function failureReason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'threw'
  const code = (cause as { code?: unknown }).code
  return typeof code === 'string' ? `${cause.name} ${code}` : cause.name
}

/** Waits for a step up to its timeout. A result that is already in the event loop's queue still counts. */
function withTimeout(
  step: Step,
  work: Promise<readonly Finding[]>,
  startMs: number,
  clock: Clock,
): Promise<StepOutcome> {
  return new Promise((resolve) => {
    const onTimeout = (): void => resolve(failedOutcome(step, startMs, clock, new StepTimeout()))
    const timer = setTimeout(() => setImmediate(onTimeout), step.timeoutMs)
    const settle = (outcome: StepOutcome): void => {
      clearTimeout(timer)
      resolve(outcome)
    }
    work.then(
      (findings) => settle(doneOutcome(step, startMs, clock, findings)),
      (cause: unknown) => settle(failedOutcome(step, startMs, clock, cause)),
    )
  })
}
