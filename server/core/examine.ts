/** Runs the steps over a call. Whatever becomes of a step is an outcome; nothing is thrown, nothing decided. */
import type { Call } from './call.ts'
import type { Finding } from './finding.ts'
import { findAgain, type KnownMessages, type Message } from './known-message.ts'
import type { Clock } from './ports.ts'
import type { Outcome, Step, Tools } from './step.ts'

class StepTimeout extends Error {
  override readonly name = 'StepTimeout'
}

/**
 * Gives one outcome for each step of the call's stage, in the order of `steps`. Steps that wait for something outside
 * wait side by side. A step that answers at once is taken at its word even when it was slow: its findings are complete.
 */
export async function examine(
  steps: readonly Step[],
  call: Call,
  tools: Tools,
  clock: Clock,
  known?: KnownMessages,
): Promise<readonly Outcome[]> {
  // Answers are new each time; what is asked repeats the conversation so far.
  const messages = call.stage === 'request' ? known?.recall(call.agent.org, call.segments) : undefined
  const outcomes: (Outcome | Promise<Outcome>)[] = []
  for (const step of steps) {
    if (step.stages.includes(call.stage)) outcomes.push(look(step, call, tools, clock, messages))
  }
  // Most steps answer at once, and need no turn of the event loop.
  return outcomes.some((outcome) => outcome instanceof Promise) ? Promise.all(outcomes) : (outcomes as Outcome[])
}

function look(
  step: Step,
  call: Call,
  tools: Tools,
  clock: Clock,
  messages: readonly Message[] | undefined,
): Outcome | Promise<Outcome> {
  const startMs = clock.elapsedMs()
  const done = (findings: readonly Finding[]): Outcome => {
    return { step: step.name, ms: clock.elapsedMs() - startMs, status: 'done', findings }
  }
  const failed = (cause: unknown): Outcome => {
    return { step: step.name, ms: clock.elapsedMs() - startMs, status: 'failed', reason: failure(cause) }
  }
  try {
    const seen = step.isLocal && messages ? lookAgain(step, call, tools, messages) : step.inspect(call, tools)
    return seen instanceof Promise ? within(step.timeoutMs, seen).then(done, failed) : done(seen)
  } catch (cause) {
    return failed(cause)
  }
}

/** Looks only through what the step has not seen before. */
function lookAgain(step: Step, call: Call, tools: Tools, messages: readonly Message[]): readonly Finding[] {
  return findAgain(step.name, messages, (segments) => {
    const seen = step.inspect({ ...call, segments }, tools)
    if (seen instanceof Promise) throw new TypeError(`${step.name} is local and has to answer at once`)
    return seen
  })
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
