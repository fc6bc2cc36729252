/** Runs a verb on several hosts in parallel: connects, counts round trips, renders events, and returns one exit code. */

import { resolve } from 'node:path'
import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, textOption } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import type { Connection, GetFact, Runner } from '../core/host.ts'
import { createFactReader } from '../facts/fact-reader.ts'
import type { Target } from '../inventory/target.ts'
import type { Emit, Outcome } from '../output/event.ts'
import { jsonRenderer, liveRenderer, plainRenderer, type Renderer } from '../output/renderer.ts'
import { withTable } from '../output/run-table.ts'
import { batchesOf, readBatchSizes } from './batch-size.ts'
import { type TargetResult, writeRetryFile } from './retry-file.ts'
import { type Connectors, connectTarget } from './target-connection.ts'

/**
 * A connected host. `freshFacts` creates a fact reader, by default over the root runner; `reconnect` makes a further connection; `nonce` returns 32
 * random hex digits.
 */
export type HostSession = Readonly<{
  target: Target
  connection: Connection
  reconnect: () => Promise<Connection>
  run: Runner
  freshFacts: (run?: Runner) => GetFact
  nonce: () => string
  emit: Emit
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

/** So many hosts are served side by side at most; each costs a connection and some megabytes here. */
export const HOSTS_AT_ONCE_MAX = 32

function rendererFor(invocation: Invocation, targets: readonly Target[]): Renderer {
  const { stdout, stderr, nowMs, environment, program } = invocation
  const streams = { stdout: (text: string) => stdout.write(text), stderr: (text: string) => stderr.write(text) }
  if (isGiven(invocation, 'json')) return jsonRenderer(streams, program, nowMs)
  const options = { program, isPlanData: invocation.verb.name === 'plan', hasDiffs: isGiven(invocation, 'diff') }
  const names = targets.map(({ name }) => name)
  if (targets.length > 1) return withTable(plainRenderer(streams, options, true), streams, program, names)
  const isLive = stderr.isTTY === true && environment['TERM'] !== 'dumb'
  return isLive
    ? liveRenderer(streams, options, () => stderr.columns || 80, nowMs)
    : plainRenderer(streams, options, false)
}

/** Counts the commands of a connection; each is one round trip. */
function countRoundTrips(connection: Connection): Readonly<{ connection: Connection; roundTrips: () => number }> {
  let roundTrips = 0
  const count =
    (run: Runner): Runner =>
    (command, onLine) => {
      roundTrips++
      return run(command, onLine)
    }
  const { run, runAsUser } = connection
  return { connection: { ...connection, run: count(run), runAsUser: count(runAsUser) }, roundTrips: () => roundTrips }
}

/** What is done on a host. `beforehand` is done before it is connected to: a failure there costs no connection. */
export type HostWork = Readonly<{
  beforehand?: (target: Target) => Promise<unknown>
  work: (host: HostSession) => Promise<HostResult>
}>

async function runConnected(
  host: Pick<HostSession, 'target' | 'connection' | 'reconnect' | 'nonce' | 'emit'>,
  work: HostWork['work'],
): Promise<HostResult> {
  const { connection, nonce } = host
  try {
    const freshFacts = (run: Runner = connection.run) => createFactReader(run, nonce)
    return await work({ ...host, run: connection.run, freshFacts })
  } finally {
    await connection.close()
  }
}

async function runOnHost(
  invocation: Invocation,
  connectors: Connectors,
  target: Target,
  renderer: Renderer,
  { beforehand, work }: HostWork,
): Promise<ExitCode> {
  const startMs = invocation.nowMs()
  const emit: Emit = (event) => renderer.emit(target.name, event)
  let roundTrips = () => 0
  const finish = (result: HostResult, code: ExitCode): ExitCode => {
    const ms = Math.round(invocation.nowMs() - startMs)
    const next =
      result.outcome === 'pending' && result.next === undefined ? { next: commandHint(invocation, 'bootstrap') } : {}
    emit({ event: 'run-finished', ...result, exitCode: code, ms, roundTrips: roundTrips(), ...next })
    return code
  }
  emit({ event: 'run-started', verb: invocation.verb.name })
  // It waited behind others when the interrupt came.
  if (invocation.interrupt.aborted) return finish(INTERRUPTED, EXIT_CODE.interrupted)
  try {
    await beforehand?.(target)
    const counted = countRoundTrips(await connectTarget(invocation, connectors, target))
    // A step that an interrupt found half done is seen to its end, with what it needs for that.
    const unheard = { ...invocation, interrupt: new AbortController().signal }
    const reconnect = () => connectTarget(unheard, connectors, target)
    roundTrips = counted.roundTrips
    const { connection } = counted
    const result = await runConnected({ target, connection, reconnect, nonce: connectors.nonce, emit }, work)
    return finish(result, CODES[result.outcome])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    emit({ event: 'error', failure: error.text })
    return finish({ outcome: outcomeOf(error.code), applied: 0, remaining: 0 }, error.code)
  }
}

const INTERRUPTED: HostResult = { outcome: 'interrupted', applied: 0, remaining: 0 }

/** Serves the hosts of a batch side by side. Throws for a defect, after all of them have finished. */
async function runBatch(
  targets: readonly Target[],
  run: (target: Target) => Promise<ExitCode>,
): Promise<readonly TargetResult[]> {
  const waiting = [...targets]
  const results: TargetResult[] = []
  const runNext = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      results.push({ target, code: await run(target) })
    }
  }
  const settled = await Promise.allSettled(Array.from({ length: Math.min(HOSTS_AT_ONCE_MAX, targets.length) }, runNext))
  for (const worker of settled) if (worker.status === 'rejected') throw worker.reason
  return results
}

/** A host that is left as it is, because one before it did not become what it should. */
function leaveOut({ name }: Target, renderer: Renderer): ExitCode {
  const exitCode = CODES['not-begun']
  renderer.emit(name, {
    event: 'run-finished',
    ...{ outcome: 'not-begun', exitCode, applied: 0, remaining: 0, ms: 0, roundTrips: 0 },
  })
  return exitCode
}

/**
 * Runs the work on each host and returns the worst exit code. A failure on one host does not stop the others of its batch (`--batch`; without it
 * all are one), but no later batch is begun; nor is a further host after an interrupt. Throws only for a defect.
 */
export async function forEachHost(
  invocation: Invocation,
  connectors: Connectors,
  targets: readonly Target[],
  work: HostWork,
): Promise<ExitCode> {
  const batches = batchesOf(targets, readBatchSizes(invocation))
  const renderer = rendererFor(invocation, targets)
  const results: TargetResult[] = []
  try {
    for (const batch of batches) {
      const hasFailed = results.some(({ code }) => code !== EXIT_CODE.upToDate)
      const run = async (target: Target) =>
        hasFailed ? leaveOut(target, renderer) : await runOnHost(invocation, connectors, target, renderer, work)
      results.push(...(await runBatch(batch, run)))
    }
    const path = textOption(invocation, 'retry')
    if (path !== undefined) await writeRetryFile(resolve(invocation.workingFolder, path), results)
    return worstExitCode(results.map(({ code }) => code))
  } finally {
    renderer.close()
  }
}
