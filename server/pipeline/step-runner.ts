/** Runs the steps over a call. Whatever becomes of a step is an outcome; nothing is thrown, nothing decided. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Clock } from '../core/ports.ts'
import { type Outcome, REFUSED_BEFORE, type Step, type Tools } from '../core/step.ts'
import type { Found, KnownMessages, Recollection } from './finding-cache.ts'

class StepTimeout extends Error {
  override readonly name = 'StepTimeout'
}

/**
 * Gives one outcome for each step of the call's stage: gates first, else in the order of `steps`. What a gate refuses is not
 * looked at by the others. Steps that wait for something outside wait side by side. A step that answers at once is taken at
 * its word even when it was slow: its findings are complete.
 */
export async function examine(
  steps: readonly Step[],
  call: Call,
  tools: Tools,
  clock: Clock,
  known?: KnownMessages,
): Promise<readonly Outcome[]> {
  const gates: Step[] = []
  const others: Step[] = []
  for (const step of steps) {
    if (step.stages.includes(call.stage)) (step.isGate ? gates : others).push(step)
  }
  if (gates.length === 0) return lookThrough(others, call, tools, clock, known)
  const passed: Outcome[] = []
  // All are asked before the first is waited for.
  for (const outcome of gates.map((step) => look(step, call, tools, clock))) {
    passed.push(outcome instanceof Promise ? await outcome : outcome)
  }
  if (!passed.every(isOpen)) return [...passed, ...others.map(notAsked)]
  return [...passed, ...(await lookThrough(others, call, tools, clock, known))]
}

const isOpen = (gate: Outcome): boolean => gate.status === 'done' && gate.findings.length === 0

const notAsked = ({ name }: Step): Outcome => ({ step: name, ms: 0, status: 'skipped', reason: REFUSED_BEFORE })

/** Asks steps, local ones only about what was not seen before. */
function lookThrough(
  steps: readonly Step[],
  call: Call,
  tools: Tools,
  clock: Clock,
  known: KnownMessages | undefined,
): readonly Outcome[] | Promise<readonly Outcome[]> {
  // Answers are new each time; what is asked repeats the conversation so far.
  const recollection = call.stage === 'request' ? known?.recall(call.agent.org, call.segments) : undefined
  const local = recollection && { recollection, call: { ...call, segments: recollection.fresh }, found: [] as Found[] }
  const outcomes: (Outcome | Promise<Outcome>)[] = []
  let isWaiting = false
  let isKnownNow = true
  for (const step of steps) {
    const outcome = local && step.isLocal ? lookAgain(step, local, tools, clock) : look(step, call, tools, clock)
    isWaiting ||= outcome instanceof Promise
    isKnownNow &&= !step.isLocal || ('status' in outcome && outcome.status === 'done')
    outcomes.push(outcome)
  }
  // A step that failed has not seen them.
  if (local && isKnownNow) local.recollection.remember(local.found)
  // Most steps answer at once, and need no turn of the event loop.
  return isWaiting ? Promise.all(outcomes) : (outcomes as Outcome[])
}

function look(step: Step, call: Call, tools: Tools, clock: Clock): Outcome | Promise<Outcome> {
  const startMs = clock.elapsedMs()
  try {
    const seen = step.inspect(call, tools)
    return seen instanceof Promise ? wait(step, seen, startMs, clock) : done(step, startMs, clock, seen)
  } catch (cause) {
    return failed(step, startMs, clock, cause)
  }
}

/** What local steps look through, and what they found there. */
type Local = Readonly<{ recollection: Recollection; call: Call; found: Found[] }>

/** Looks only through what was not seen before. */
function lookAgain(step: Step, { recollection, call, found }: Local, tools: Tools, clock: Clock): Outcome {
  const startMs = clock.elapsedMs()
  try {
    const seen = call.segments.length === 0 ? [] : step.inspect(call, tools)
    if (seen instanceof Promise) throw new TypeError(`${step.name} is local and has to answer at once`)
    const findings = recollection.findAll(step.name, seen)
    found.push([step.name, seen])
    return done(step, startMs, clock, findings)
  } catch (cause) {
    return failed(step, startMs, clock, cause)
  }
}

const done = ({ name }: Step, startMs: number, clock: Clock, findings: readonly Finding[]): Outcome => {
  return { step: name, ms: clock.elapsedMs() - startMs, status: 'done', findings }
}

const failed = ({ name }: Step, startMs: number, clock: Clock, cause: unknown): Outcome => {
  return { step: name, ms: clock.elapsedMs() - startMs, status: 'failed', reason: failure(cause) }
}

/** Only names and codes: the message of an error may quote the text that a step was looking at. */
function failure(cause: unknown): string {
  if (!(cause instanceof Error)) return 'threw'
  const code = (cause as { code?: unknown }).code
  return typeof code === 'string' ? `${cause.name} ${code}` : cause.name
}

/** Waits for a step, as long as it may take. An answer that waits in the event loop's queue is still heard first. */
function wait(step: Step, work: Promise<readonly Finding[]>, startMs: number, clock: Clock): Promise<Outcome> {
  return new Promise((resolve) => {
    const giveUp = (): void => resolve(failed(step, startMs, clock, new StepTimeout()))
    const timer = setTimeout(() => setImmediate(giveUp), step.timeoutMs)
    const end = (outcome: Outcome): void => {
      clearTimeout(timer)
      resolve(outcome)
    }
    work.then(
      (findings) => end(done(step, startMs, clock, findings)),
      (cause: unknown) => end(failed(step, startMs, clock, cause)),
    )
  })
}
