/** Runs the steps over a call. Whatever becomes of a step is an outcome; nothing is thrown, nothing decided. */
import type { Call } from './call.ts'
import type { Clock } from './ports.ts'
import type { Outcome, Step, Tools } from './step.ts'

class StepTimeout extends Error {
  override readonly name = 'StepTimeout'
}

/**
 * Gives one outcome for each step of the call's stage, in the order of `steps`. Steps that wait for something outside
 * wait side by side. A step that answers at once is taken at its word even when it was slow: its findings are complete.
 */
export function examine(steps: readonly Step[], call: Call, tools: Tools, clock: Clock): Promise<readonly Outcome[]> {
  return Promise.all(
    steps.filter(({ stages }) => stages.includes(call.stage)).map((step) => look(step, call, tools, clock)),
  )
}

async function look(step: Step, call: Call, tools: Tools, clock: Clock): Promise<Outcome> {
  const startMs = clock.elapsedMs()
  try {
    const seen = step.inspect(call, tools)
    const findings = seen instanceof Promise ? await within(step.timeoutMs, seen) : seen
    return { step: step.name, ms: clock.elapsedMs() - startMs, status: 'done', findings }
  } catch (cause) {
    return { step: step.name, ms: clock.elapsedMs() - startMs, status: 'failed', reason: failure(cause) }
  }
}

/** Only names and codes: the message of an error may quote the text that a step was looking at. */
function failure(cause: unknown): string {
  if (!(cause instanceof Error)) return 'threw'
  const code = (cause as { code?: unknown }).code
  return typeof code === 'string' ? `${cause.name} ${code}` : cause.name
}

/** Rejects when `work` takes longer than `timeoutMs`. An answer that waits in the event loop's queue is still heard first. */
function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => setImmediate(reject, new StepTimeout()), timeoutMs)
  work.then(resolve, reject).finally(() => clearTimeout(timer))
  return promise
}
