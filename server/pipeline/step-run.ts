/** Runs one step over a call. It ends in an outcome, whatever happens: nothing is thrown. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import { InspectionError } from '../core/inspection.ts'
import type { Allowance, Clock } from '../core/ports.ts'
import {
  GATE_REFUSED,
  type LocalContext,
  type LocalStep,
  type RemoteReport,
  type RemoteStep,
  type Step,
  type StepContext,
  type StepOutcome,
} from '../core/step.ts'
import type { EndedSpan } from '../core/trace.ts'

class StepTimeout extends Error {
  override readonly name = 'StepTimeout'
}

/**
 * The outcomes of steps. `allowance` is what the limiter last returned to one of them; undefined when none asked. `call` is
 * the call as another thread has read it; `isMalformed`: its text is no JSON object, and no step has seen it.
 */
export type StepRun = Readonly<{
  outcomes: readonly StepOutcome[]
  allowance: Allowance | undefined
  call?: Call
  isMalformed?: boolean
}>

/** What a local step found in what it was given, and its outcome for the whole call. */
export type LocalRun = Readonly<{ step: LocalStep; found: readonly Finding[]; outcome: StepOutcome }>

/**
 * Runs a local step. It counts even when it was slow: its findings are complete. `merge` adds what is known of the
 * rest of the call to what the step found, and may throw.
 */
export function runLocal(
  step: LocalStep,
  call: Call,
  context: LocalContext,
  clock: Clock,
  merge: (step: string, found: readonly Finding[]) => readonly Finding[] = (_step, found) => found,
): LocalRun {
  const startMs = clock.elapsedMs()
  try {
    const found = step.inspect(call, context)
    return { step, found, outcome: traced(call, doneOutcome(step, startMs, clock, merge(step.name, found)), startMs) }
  } catch (cause) {
    const outcome = failedOutcome(step.name, clock.elapsedMs() - startMs, cause)
    return { step, found: [], outcome: traced(call, outcome, startMs) }
  }
}

/** Gives the outcome, once its span is told where somebody records it. */
function traced<Outcome extends StepOutcome>(call: Call, outcome: Outcome, startMs: number): Outcome {
  call.trace?.span?.(stepSpan(call, outcome, startMs))
  return outcome
}

/** The span of a step that began then. */
export function stepSpan({ stage }: Pick<Call, 'stage'>, outcome: StepOutcome, startMs: number): EndedSpan {
  const result =
    outcome.status === 'done' ? { 'tappass.step.findings': outcome.findings.length } : { 'error.type': outcome.reason }
  const attributes = { 'tappass.stage': stage, 'tappass.step.status': outcome.status, ...result }
  return { type: 'step', name: `step ${outcome.step}`, startMs, endMs: startMs + outcome.ms, attributes }
}

/** The outcome of a remote step, and the allowance that it reported. */
export type RemoteRun = Readonly<{ outcome: StepOutcome; allowance: Allowance | undefined }>

/** Runs a remote step up to its timeout. A result that is already in the event loop's queue still counts. */
export async function runRemote(step: RemoteStep, call: Call, context: StepContext, clock: Clock): Promise<RemoteRun> {
  const startMs = clock.elapsedMs()
  const { promise, resolve, reject } = Promise.withResolvers<RemoteReport>()
  const timer = setTimeout(() => setImmediate(reject, new StepTimeout()), step.timeoutMs)
  try {
    step.inspect(call, context).then(resolve, reject)
    const { findings, allowance } = await promise
    return { outcome: traced(call, doneOutcome(step, startMs, clock, findings), startMs), allowance }
  } catch (cause) {
    const outcome = failedOutcome(step.name, clock.elapsedMs() - startMs, cause)
    return { outcome: traced(call, outcome, startMs), allowance: undefined }
  } finally {
    clearTimeout(timer)
  }
}

/** Starts the remote ones of some steps, all at once; resolves when the last one has ended. */
export async function startRemote(
  steps: readonly Step[],
  call: Call,
  context: StepContext,
  clock: Clock,
): Promise<StepRun> {
  const remote = steps.filter((step) => step.timeoutMs !== undefined)
  const runs = await Promise.all(remote.map((step) => runRemote(step, call, context, clock)))
  const allowance = runs.findLast((run) => run.allowance !== undefined)?.allowance
  return { outcomes: runs.map(({ outcome }) => outcome), allowance }
}

/** The outcome of a step behind a gate that has refused the call. */
export function skipped({ name }: Pick<Step, 'name'>): StepOutcome {
  return { step: name, ms: 0, status: 'skipped', reason: GATE_REFUSED }
}

/** More findings of a step can't be acted on. */
const FINDINGS_MAX = 10_000

function doneOutcome({ name }: Step, startMs: number, clock: Clock, findings: readonly Finding[]): StepOutcome {
  if (findings.length > FINDINGS_MAX) throw new InspectionError('there are more findings than can be evaluated')
  return { step: name, ms: clock.elapsedMs() - startMs, status: 'done', findings }
}

/** The outcome of what threw. */
export function failedOutcome(step: string, ms: number, cause: unknown): StepOutcome {
  return { step, ms, status: 'failed', reason: failureReason(cause) }
}

/** Only names and codes: the message of an error may quote the text that a step was reading. */
function failureReason(cause: unknown): string {
  if (!(cause instanceof Error)) return 'threw'
  const code = (cause as { code?: unknown }).code
  return typeof code === 'string' ? `${cause.name} ${code}` : cause.name
}
