/** Runs the steps over a call. Every step ends in an outcome; nothing is thrown, nothing decided. */
import type { Call } from '../core/call.ts'
import type { Allowance, Clock, Ports } from '../core/ports.ts'
import type { StepContext, StepOutcome } from '../core/step.ts'
import { GATE_REFUSED, type LocalContext, type LocalStep, type RemoteStep, type Step } from '../core/step.ts'
import type { CacheLookup } from './finding-cache.ts'
import type { Gateway } from './gateway.ts'
import { failedOutcome, runLocal, runRemote } from './step-run.ts'

/** What running steps needs of a gateway. */
export type StepRunner = Pick<Gateway, 'steps' | 'limits' | 'findingCache'> &
  Readonly<{ ports: Pick<Ports, 'clock' | 'limiter' | 'meter'> }>

/** The outcomes of steps. `allowance` is what the limiter last returned to one of them; undefined when none asked. */
export type StepRun = Readonly<{ outcomes: readonly StepOutcome[]; allowance: Allowance | undefined }>

/** The outcomes of the gates. */
type Admission = StepRun & Readonly<{ isAdmitted: boolean }>

/**
 * Returns one outcome for each step of the call's stage: those of the gates first, and of each the local steps before
 * the remote ones. When a gate refuses, the other steps are skipped. Whatever else fails is an outcome, too.
 */
export async function runSteps(runner: StepRunner, call: Call): Promise<StepRun> {
  try {
    return await runStage(runner, call)
  } catch (cause) {
    return { outcomes: [failedOutcome('step_runner', 0, cause)], allowance: undefined }
  }
}

async function runStage(runner: StepRunner, call: Call): Promise<StepRun> {
  const { clock, limiter, meter } = runner.ports
  const context: StepContext = { nowMs: clock.nowMs(), limiter, limits: runner.limits }
  const steps = runner.steps.filter(({ stages }) => stages.includes(call.stage))
  const detectors = steps.filter(({ isGate }) => !isGate)
  const admission = await runGates(steps.filter(isGate), call, context, clock)
  const detection = admission.isAdmitted
    ? await runDetectors(detectors, call, context, runner)
    : { outcomes: detectors.map(skipped), allowance: undefined }
  const outcomes = [...admission.outcomes, ...detection.outcomes]
  for (const { step, ms } of outcomes) meter.observe('step_seconds', step, ms / 1000)
  return { outcomes, allowance: detection.allowance ?? admission.allowance }
}

/** Runs the gates, all of them. A call is admitted when each is done and found nothing. */
async function runGates(gates: readonly Step[], call: Call, context: StepContext, clock: Clock): Promise<Admission> {
  const run = await runAll(gates, call, context, clock)
  const isAdmitted = run.outcomes.every((outcome) => outcome.status === 'done' && outcome.findings.length === 0)
  return { ...run, isAdmitted }
}

/** Runs steps that are not gates, cacheable ones only on what is not cached. */
function runDetectors(
  steps: readonly Step[],
  call: Call,
  context: StepContext,
  { findingCache, ports: { clock } }: StepRunner,
): Promise<StepRun> {
  // Responses are new each time; requests repeat the conversation so far.
  const isRepeating = call.stage === 'request'
  const lookup = isRepeating ? findingCache?.lookup(call.agent.org, call.segments) : undefined
  return runAll(steps, call, context, clock, lookup)
}

/** Runs local steps, while remote ones, which are started before, wait. */
async function runAll(
  steps: readonly Step[],
  call: Call,
  context: StepContext,
  clock: Clock,
  lookup?: CacheLookup,
): Promise<StepRun> {
  const remote = steps.filter(isRemoteStep).map((step) => runRemote(step, call, context, clock))
  const local = steps.filter(isLocalStep)
  const outcomes = lookup
    ? runCacheable(local, call, context, clock, lookup)
    : local.map((step) => runLocal(step, call, context, clock).outcome)
  let allowance: Allowance | undefined
  for (const run of remote) {
    const report = await run
    outcomes.push(report.outcome)
    allowance = report.allowance ?? allowance
  }
  return { outcomes, allowance }
}

/** Runs local steps, cacheable ones on the misses of a lookup. Stores what they found there. */
function runCacheable(
  steps: readonly LocalStep[],
  call: Call,
  context: LocalContext,
  clock: Clock,
  { misses, merge, store }: CacheLookup,
): StepOutcome[] {
  const newCall = { ...call, segments: misses }
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

function isGate(step: Step): boolean {
  return step.isGate === true
}

function isRemoteStep(step: Step): step is RemoteStep {
  return step.timeoutMs !== undefined
}

function isLocalStep(step: Step): step is LocalStep {
  return step.timeoutMs === undefined
}

function skipped({ name }: Step): StepOutcome {
  return { step: name, ms: 0, status: 'skipped', reason: GATE_REFUSED }
}
