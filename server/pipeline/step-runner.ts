/** Runs the steps over a call. Every step ends in an outcome; nothing is thrown, nothing decided. */
import { type Call, LARGE_CHARS, type Stage } from '../core/call.ts'
import { InspectionError } from '../core/inspection.ts'
import type { Clock, Ports } from '../core/ports.ts'
import type { LocalStep, Step, StepContext, StepOutcome } from '../core/step.ts'
import type { FindingCache } from './finding-cache.ts'
import type { Gateway } from './gateway.ts'
import { runLarge } from './large-run.ts'
import { isAdmitting, isGate, isLocalStep, runLocalSteps } from './local-run.ts'
import { failedOutcome, type StepRun, skipped, startRemote } from './step-run.ts'

/** What running steps needs of a gateway. */
export type StepRunner = Pick<Gateway, 'steps' | 'limits' | 'findingCache' | 'inspector'> &
  Readonly<{ ports: Pick<Ports, 'clock' | 'limiter' | 'meter'> }>

/**
 * Returns one outcome for each step of the call's stage: those of the gates first, and of each the local steps before
 * the remote ones. When a gate refuses, the other steps are skipped. Whatever else fails is an outcome, too. There is a
 * promise only where something waits: each that does not costs a call a microsecond and some hundred bytes.
 */
export function runSteps(runner: StepRunner, call: Call): StepRun | Promise<StepRun> {
  const counted = (run: StepRun): StepRun => measured(runner.ports.meter, run)
  const failed = (cause: unknown): StepRun => counted(failedRun(cause))
  try {
    const run = runStage(runner, call)
    return run instanceof Promise ? run.then(counted, failed) : counted(run)
  } catch (cause) {
    return failed(cause)
  }
}

function measured(meter: Ports['meter'], run: StepRun): StepRun {
  for (const { step, ms, status } of run.outcomes) {
    meter.observe('step_seconds', ms / 1000, step)
    if (status === 'failed') meter.count('step_failures', step)
  }
  return run
}

function failedRun(cause: unknown): StepRun {
  return { outcomes: [failedOutcome('step_runner', 0, cause)], allowance: undefined }
}

function runStage(runner: StepRunner, call: Call): StepRun | Promise<StepRun> {
  const { clock, limiter } = runner.ports
  const { inspector } = runner
  const context: StepContext = { nowMs: clock.nowMs(), limiter, limits: runner.limits }
  const plan = stagePlan(runner.steps, call.stage)
  if (call.isTooComplex) return refuseUnread(plan.steps, call, context, clock)
  if (inspector !== undefined && isLarge(call)) return runLarge({ steps: plan.steps, context, clock, inspector }, call)
  return runHere(plan, call, context, runner)
}

/** Only gates that look at the head, such as the rate limit, have seen a body that was not read. */
async function refuseUnread(steps: readonly Step[], call: Call, context: StepContext, clock: Clock): Promise<StepRun> {
  const cause = new InspectionError('the body holds more, or is deeper, than can be looked through')
  const remote = await startRemote(steps.filter(isGate), call, context, clock)
  const others = steps.filter((step) => !isGate(step) || isLocalStep(step))
  return { ...remote, outcomes: [...others.map(({ name }) => failedOutcome(name, 0, cause)), ...remote.outcomes] }
}

/** Whether the texts of a call are so long that other calls would wait for them. */
function isLarge({ text, segments }: Call): boolean {
  if (text !== undefined) return text.length > LARGE_CHARS
  return segments.reduce((chars, segment) => chars + segment.text.length, 0) > LARGE_CHARS
}

/** Steps that run together. */
type StepGroup = Readonly<{ local: readonly LocalStep[]; remote: readonly Step[] }>

/** The steps of a stage, gates apart. */
type StagePlan = Readonly<{
  steps: readonly Step[]
  gates: StepGroup
  detectors: StepGroup
  skipped: readonly StepOutcome[]
}>

/** Of each list of steps the plans that were made: a gateway has one list. */
const PLANS = new WeakMap<readonly Step[], Partial<Record<Stage, StagePlan>>>()

function stagePlan(all: readonly Step[], stage: Stage): StagePlan {
  const plans = PLANS.get(all) ?? {}
  PLANS.set(all, plans)
  plans[stage] ??= createPlan(all.filter(({ stages }) => stages.includes(stage)))
  return plans[stage]
}

function createPlan(steps: readonly Step[]): StagePlan {
  const detectors = steps.filter((step) => !isGate(step))
  return { steps, gates: groupOf(steps.filter(isGate)), detectors: groupOf(detectors), skipped: detectors.map(skipped) }
}

function groupOf(steps: readonly Step[]): StepGroup {
  return { local: steps.filter(isLocalStep), remote: steps.filter((step) => !isLocalStep(step)) }
}

/** Runs all steps in this thread. */
function runHere(
  plan: StagePlan,
  call: Call,
  context: StepContext,
  { findingCache, ports: { clock } }: StepRunner,
): StepRun | Promise<StepRun> {
  const behindGates = (admission: StepRun): StepRun | Promise<StepRun> => {
    if (!isAdmitting(admission.outcomes)) return { ...admission, outcomes: [...admission.outcomes, ...plan.skipped] }
    const detection = runGroup(plan.detectors, call, context, clock, findingCache)
    return detection instanceof Promise
      ? detection.then((run) => together(admission, run))
      : together(admission, detection)
  }
  const admission = runGroup(plan.gates, call, context, clock)
  return admission instanceof Promise ? admission.then(behindGates) : behindGates(admission)
}

function together(admission: StepRun, detection: StepRun): StepRun {
  return {
    outcomes: [...admission.outcomes, ...detection.outcomes],
    allowance: detection.allowance ?? admission.allowance,
  }
}

/** Runs local steps, while remote ones, which are started before, wait. */
function runGroup(
  { local, remote }: StepGroup,
  call: Call,
  context: StepContext,
  clock: Clock,
  findingCache?: FindingCache,
): StepRun | Promise<StepRun> {
  if (remote.length === 0)
    return { outcomes: runLocalSteps(local, call, context, clock, findingCache), allowance: undefined }
  const started = startRemote(remote, call, context, clock)
  const outcomes = runLocalSteps(local, call, context, clock, findingCache)
  return started.then((others) => ({ outcomes: [...outcomes, ...others.outcomes], allowance: others.allowance }))
}
