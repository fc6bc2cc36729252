/** Runs the local steps over a call, one after the other; what is cached is not looked at again. */
import type { Call } from '../core/call.ts'
import type { Clock } from '../core/ports.ts'
import type { LocalContext, LocalStep, Step, StepOutcome } from '../core/step.ts'
import type { CacheLookup, FindingCache } from './finding-cache.ts'
import { runLocal } from './step-run.ts'

/** Runs steps. Without a cache all of them see the whole call. */
export function runLocalSteps(
  steps: readonly LocalStep[],
  call: Call,
  context: LocalContext,
  clock: Clock,
  findingCache?: FindingCache,
): StepOutcome[] {
  // Responses are new each time; requests repeat the conversation so far.
  const isRepeating = call.stage === 'request'
  const lookup = isRepeating ? findingCache?.lookup(call.agent.org, call.segments) : undefined
  return lookup
    ? runCacheable(steps, call, context, clock, lookup)
    : steps.map((step) => runLocal(step, call, context, clock).outcome)
}

/** Runs local steps, cacheable ones on the misses of a lookup. Stores what they found there. */
function runCacheable(
  steps: readonly LocalStep[],
  call: Call,
  context: LocalContext,
  clock: Clock,
  { misses, merge, store }: CacheLookup,
): StepOutcome[] {
  const newCall = misses === call.segments ? call : { ...call, segments: misses }
  // Nothing new to look at is nothing found.
  const onMisses = (step: LocalStep): LocalStep => (misses.length > 0 ? step : { ...step, inspect: () => [] })
  const runs = steps.map((step) =>
    step.isCacheable ? runLocal(onMisses(step), newCall, context, clock, merge) : runLocal(step, call, context, clock),
  )
  const cacheable = runs.filter(({ step }) => step.isCacheable)
  // A step that failed has not scanned them.
  if (cacheable.every(({ outcome }) => outcome.status === 'done')) {
    store(cacheable.map(({ step, found }) => [step.name, found]))
  }
  return runs.map(({ outcome }) => outcome)
}

/** True for a step that computes. */
export function isLocalStep(step: Step): step is LocalStep {
  return step.timeoutMs === undefined
}

/** True for a step that others wait for. */
export function isGate(step: Step): boolean {
  return step.isGate === true
}

/** Whether gates that ended so admit a call: each is done and found nothing. */
export function isAdmitting(outcomes: readonly StepOutcome[]): boolean {
  return outcomes.every((outcome) => outcome.status === 'done' && outcome.findings.length === 0)
}
