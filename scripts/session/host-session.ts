/** Runs a verb on several hosts in parallel: connects, counts round trips, renders events, and returns one exit code. */

import { resolve } from 'node:path'
import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { commandHint } from '../command-line/command-hint.ts'
import { type Confirm, createConfirm } from '../command-line/confirmation.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import type { Connection, GetFact, Runner } from '../core/host.ts'
import { createFactReader } from '../facts/fact-reader.ts'
import type { Target } from '../inventory/target.ts'
import type { Emit, Outcome } from '../output/event.ts'
import { type TargetResult, writeRetryFile } from './retry-file.ts'
import { batchesOf, isTooMany, readRollout } from './rollout.ts'
import { countRoundTrips } from './round-trip.ts'
import { rendererFor, type SessionRenderer } from './session-renderer.ts'
import { type SharedConfirmation, sharedConfirmation } from './shared-confirmation.ts'
import { sideBySide } from './side-by-side.ts'
import { type Pause, soakHost } from './soak.ts'
import { type Connectors, connectTarget } from './target-connection.ts'

/**
 * A connected host. `freshFacts` creates a fact reader, by default over the root runner; `reconnect` makes a further connection; `nonce` returns 32
 * random hex digits; `confirm` asks whether the plan that was told may be applied.
 */
export type HostSession = Readonly<{
  target: Target
  connection: Connection
  reconnect: () => Promise<Connection>
  run: Runner
  freshFacts: (run?: Runner) => GetFact
  nonce: () => string
  emit: Emit
  confirm: Confirm
}>

/** The result of a verb on a host. `unhealthy` names what is; `next` is the command line to type next. */
export type HostResult = Readonly<{
  outcome: Outcome
  applied: number
  remaining: number
  unhealthy?: readonly string[]
  next?: string
}>

const CODES: Readonly<Record<Outcome, ExitCode>> = {
  'up-to-date': EXIT_CODE.upToDate,
  pending: EXIT_CODE.changesPending,
  declined: EXIT_CODE.changesPending,
  refused: EXIT_CODE.refused,
  locked: EXIT_CODE.locked,
  failed: EXIT_CODE.failed,
  'rolled-back': EXIT_CODE.rolledBack,
  unhealthy: EXIT_CODE.failed,
  'not-installed': EXIT_CODE.failed,
  shown: EXIT_CODE.upToDate,
  well: EXIT_CODE.upToDate,
  interrupted: EXIT_CODE.interrupted,
  'not-begun': EXIT_CODE.interrupted,
  unreachable: EXIT_CODE.unreachable,
}

/** Exit codes by severity, the worst last. */
const BY_SEVERITY: readonly ExitCode[] = [0, 2, 130, 4, 5, 6, 64, 3, 1]

/** Returns the worst of the codes. */
export function worstExitCode(codes: readonly ExitCode[]): ExitCode {
  return codes.reduce(
    (worst, code) => (BY_SEVERITY.indexOf(code) > BY_SEVERITY.indexOf(worst) ? code : worst),
    EXIT_CODE.upToDate,
  )
}

/** Returns the outcome of a failure with that exit code. */
export function outcomeOf(code: ExitCode): Outcome {
  return (Object.keys(CODES) as Outcome[]).find((outcome) => CODES[outcome] === code) ?? 'failed'
}

/**
 * What is done on a host. `beforehand` is done before it is connected to: a failure there costs no connection. `probe` returns what is not well on a host of a
 * batch before the next one is begun; it is asked over a new connection each time. With `isConfirmedTogether` hosts with the same plan are asked about once.
 */
export type HostWork = Readonly<{
  beforehand?: (target: Target) => Promise<unknown>
  work: (host: HostSession) => Promise<HostResult>
  probe?: (host: HostSession) => Promise<readonly string[]>
  pause?: Pause
  isConfirmedTogether?: boolean
}>

/** What all hosts of a run have in common. */
type Run = Readonly<{
  invocation: Invocation
  connectors: Connectors
  renderer: SessionRenderer
  work: HostWork
  confirm: Confirm
  shared: SharedConfirmation | undefined
}>

type RoundTrips = Readonly<{ roundTrips: () => number }>

/** Connects to a host, and ends the connection after the work. `onConnected` is told how to count its round trips. */
async function inSession<T>(
  { invocation, connectors, renderer, confirm, shared }: Run,
  target: Target,
  work: (host: HostSession) => Promise<T>,
  onConnected: (counted: RoundTrips) => void = () => undefined,
): Promise<T> {
  const counted = countRoundTrips(await connectTarget(invocation, connectors, target))
  onConnected(counted)
  const { connection } = counted
  const { nonce } = connectors
  // A step that an interrupt found half done is seen to its end, with what it needs for that.
  const unheard = { ...invocation, interrupt: new AbortController().signal }
  const reconnect = () => connectTarget(unheard, connectors, target)
  const emit: Emit = (event, at) => {
    const isKept = event.event === 'plan' && shared?.keep(target.name, event) === true
    if (!isKept || isGiven(invocation, 'json')) renderer.emit(target.name, event, at)
  }
  try {
    const freshFacts = (run: Runner = connection.run) => createFactReader(run, nonce)
    return await work({ target, connection, reconnect, run: connection.run, freshFacts, nonce, emit, confirm })
  } finally {
    await connection.close()
  }
}

/** Returns what tells how a run on a host ended, counted from now, and returns its exit code. */
function createFinish({ invocation, renderer }: Run, { name }: Target, roundTrips: () => number) {
  const startMs = invocation.nowMs()
  return (result: HostResult, code: ExitCode): ExitCode => {
    const ms = Math.round(invocation.nowMs() - startMs)
    const next =
      result.outcome === 'pending' && result.next === undefined ? { next: commandHint(invocation, 'bootstrap') } : {}
    renderer.emit(name, { event: 'run-finished', ...result, exitCode: code, ms, roundTrips: roundTrips(), ...next })
    return code
  }
}

async function runOnHost(run: Run, target: Target): Promise<ExitCode> {
  const { invocation, renderer, work, shared } = run
  const emit: Emit = (event, at) => renderer.emit(target.name, event, at)
  let counted: RoundTrips = { roundTrips: () => 0 }
  const finish = createFinish(run, target, () => counted.roundTrips())
  emit({ event: 'run-started', verb: invocation.verb.name })
  shared?.begin(target.name)
  try {
    // It waited behind others when the interrupt came.
    if (invocation.interrupt.aborted) return finish(bare('interrupted'), EXIT_CODE.interrupted)
    await work.beforehand?.(target)
    const result = await inSession(run, target, work.work, (begun) => {
      counted = begun
    })
    return finish(result, CODES[result.outcome])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    emit({ event: 'error', failure: error.text })
    return finish(bare(outcomeOf(error.code)), error.code)
  } finally {
    shared?.end(target.name)
  }
}

function bare(outcome: Outcome): HostResult {
  return { outcome, applied: 0, remaining: 0 }
}

/** A host that is left as it is, because one before it did not become what it should. */
function leaveOut(run: Run, target: Target): ExitCode {
  return createFinish(run, target, () => 0)(bare('not-begun'), CODES['not-begun'])
}

/** Watches a host of a batch that has become what it should; returns the code that counts from then on. */
async function watchHost(run: Run, target: Target, soakMs: number, signal: AbortSignal): Promise<ExitCode> {
  const { invocation, renderer, work } = run
  const { probe = async () => [] } = work
  const finish = createFinish(run, target, () => 0)
  renderer.emit(target.name, { event: 'soak', seconds: soakMs / 1000 })
  const { nowMs } = invocation
  const problem = await soakHost({
    ...{ soakMs, nowMs, signal, pause: work.pause },
    probe: async () => await inSession(run, target, probe),
  })
  if (problem === undefined) return EXIT_CODE.upToDate
  if (!(problem instanceof Failure)) return finish({ ...bare('unhealthy'), unhealthy: problem }, CODES.unhealthy)
  renderer.emit(target.name, { event: 'error', failure: problem.text })
  return finish(bare(outcomeOf(problem.code)), problem.code)
}

/** Watches the hosts of a batch, until one is not well with which `isOver` says so. */
async function watchBatch(
  run: Run,
  batch: readonly TargetResult[],
  soakMs: number,
  isOver: (failures: number) => boolean,
): Promise<readonly TargetResult[]> {
  const ended = new AbortController()
  const signal = AbortSignal.any([run.invocation.interrupt, ended.signal])
  let failures = batch.filter(({ code }) => code !== EXIT_CODE.upToDate).length
  const watch = async ({ target, code }: TargetResult): Promise<TargetResult> => {
    if (code !== EXIT_CODE.upToDate) return { target, code }
    const seen = await watchHost(run, target, soakMs, signal)
    if (seen !== EXIT_CODE.upToDate && isOver(++failures)) ended.abort()
    return { target, code: seen }
  }
  // All at once: the same time is that of all of them, and each is connected to for a moment only.
  return await sideBySide(batch, watch, batch.length)
}

/**
 * Runs the work on each host and returns the worst exit code. A failure on one host does not stop the others of its batch (`--batch`; without it
 * all are one), but with more failures than `--max-fail` allows no later batch is begun; nor is a further host after an interrupt. Between batches the hosts
 * of the last one are watched. Throws only for a defect.
 */
export async function forEachHost(
  invocation: Invocation,
  connectors: Connectors,
  targets: readonly Target[],
  work: HostWork,
): Promise<ExitCode> {
  const { sizes, failuresMax, soakMs } = readRollout(invocation)
  const batches = batchesOf(targets, sizes)
  const renderer = rendererFor(invocation, targets)
  const ask = createConfirm(invocation)
  const shared =
    work.isConfirmedTogether === true ? sharedConfirmation(invocation, targets.length, renderer, ask) : undefined
  const run: Run = { invocation, connectors, renderer, work, shared, confirm: shared?.confirm ?? ask }
  const results: TargetResult[] = []
  const failuresOf = (all: readonly TargetResult[]) => all.filter(({ code }) => code !== EXIT_CODE.upToDate).length
  const isOver = (more: number) => isTooMany(failuresOf(results) + more, failuresMax, targets.length)
  try {
    for (const batch of batches) {
      const isStopped = isOver(0)
      const done = await sideBySide(batch, async (target) => ({
        target,
        code: isStopped ? leaveOut(run, target) : await runOnHost(run, target),
      }))
      const isWatched = work.probe !== undefined && batch !== batches.at(-1) && !isOver(failuresOf(done))
      results.push(...(isWatched ? await watchBatch(run, done, soakMs, isOver) : done))
    }
    const path = textOption(invocation, 'retry')
    if (path !== undefined) await writeRetryFile(resolve(invocation.workingFolder, path), results)
    return worstExitCode(results.map(({ code }) => code))
  } finally {
    renderer.close()
  }
}
