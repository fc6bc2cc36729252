/** Runs one step over a call. It ends in an outcome, whatever happens: nothing is thrown. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Allowance, Clock } from '../core/ports.ts'
import type { LocalContext, LocalStep, RemoteReport, RemoteStep, Step, StepContext, StepOutcome } from '../core/step.ts'

class StepTimeout extends Error {
  override readonly name = 'StepTimeout'
}

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
    return { step, found, outcome: doneOutcome(step, startMs, clock, merge(step.name, found)) }
  } catch (cause) {
    return { step, found: [], outcome: failedOutcome(step.name, clock.elapsedMs() - startMs, cause) }
  }
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
    return { outcome: doneOutcome(step, startMs, clock, findings), allowance }
  } catch (cause) {
    return { outcome: failedOutcome(step.name, clock.elapsedMs() - startMs, cause), allowance: undefined }
  } finally {
    clearTimeout(timer)
  }
}

function doneOutcome({ name }: Step, startMs: number, clock: Clock, findings: readonly Finding[]): StepOutcome {
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
