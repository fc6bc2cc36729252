/**
 * Runs the steps over a large call: local ones in another thread, which reads the text, too. Remote gates come first, and
 * see its head only: who calls. Remote detectors come last, and get the texts, but no body.
 */
import type { Call } from '../core/call.ts'
import { type Inspection, type Inspector, withoutText } from '../core/inspection.ts'
import type { Clock } from '../core/ports.ts'
import type { Step, StepContext, StepOutcome } from '../core/step.ts'
import { isAdmitting, isGate, isLocalStep } from './local-run.ts'
import { failedOutcome, type StepRun, skipped, startRemote, stepSpan } from './step-run.ts'

/** The steps of the call's stage, and what running them needs. */
type LargeRun = Readonly<{ steps: readonly Step[]; context: StepContext; clock: Clock; inspector: Inspector }>

/** Returns the outcomes in the order of runSteps. What can't be looked through is a failure of all local steps. */
export async function runLarge({ steps, context, clock, inspector }: LargeRun, call: Call): Promise<StepRun> {
  const gates = steps.filter(isGate)
  const detectors = steps.filter((step) => !isGate(step))
  const remoteGates = await startRemote(gates, withoutText(call), context, clock)
  const isAdmitted = isAdmitting(remoteGates.outcomes)
  const localGates = gates.filter(isLocalStep)
  const localDetectors = isAdmitted ? detectors.filter(isLocalStep) : []
  const inspection = await inspect(inspector, {
    // What records spans can't cross threads.
    call: call.trace === undefined ? call : { ...call, trace: undefined },
    gates: localGates.map(({ name }) => name),
    detectors: localDetectors.map(({ name }) => name),
    limits: context.limits,
    isTextWanted: isAdmitted && detectors.some((step) => !isLocalStep(step)),
  })
  if (inspection.status === 'malformed') return { outcomes: [], allowance: remoteGates.allowance, isMalformed: true }
  if (call.trace?.span) tellSteps(call, inspection.outcomes, clock.elapsedMs())
  const seen = { ...call, ...inspection.seen, trace: call.trace }
  const ofGates = inspection.outcomes.slice(0, localGates.length)
  const ofDetectors = inspection.outcomes.slice(localGates.length)
  const remote =
    isAdmitted && isAdmitting(ofGates)
      ? await startRemote(detectors, seen, context, clock)
      : { outcomes: detectors.filter((step) => !isAdmitted || !isLocalStep(step)).map(skipped), allowance: undefined }
  return {
    outcomes: [...ofGates, ...remoteGates.outcomes, ...ofDetectors, ...remote.outcomes],
    allowance: remote.allowance ?? remoteGates.allowance,
    call: seen,
  }
}

/** Spans of what the other thread did: one step after the other, and its clock is not ours, so they are laid out back from its answer. */
function tellSteps(call: Call, outcomes: readonly StepOutcome[], answeredMs: number): void {
  const ran = outcomes.filter(({ status }) => status !== 'skipped')
  let startMs = answeredMs - ran.reduce((sum, { ms }) => sum + ms, 0)
  for (const outcome of ran) {
    call.trace?.span?.(stepSpan(call, outcome, startMs))
    startMs += outcome.ms
  }
}

/** Asks the other thread. When it has no answer, each step that it was asked for has failed. */
async function inspect(inspector: Inspector, task: Parameters<Inspector['inspect']>[0]): Promise<Inspection> {
  try {
    return await inspector.inspect(task)
  } catch (cause) {
    const outcomes = [...task.gates, ...task.detectors].map((name): StepOutcome => failedOutcome(name, 0, cause))
    return { status: 'inspected', outcomes, seen: {} }
  }
}
