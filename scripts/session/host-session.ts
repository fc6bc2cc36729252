/** Runs a verb on several hosts in parallel: connects, counts round trips, renders events, and returns one exit code. */

import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, isInteractive } from '../command-line/invocation.ts'
import { askHidden } from '../command-line/prompt.ts'
import type { HostAddress } from '../connection/host-address.ts'
import { readSshAccess, type SshAccess } from '../connection/ssh-access.ts'
import { Failure, interruptedFailure } from '../core/failure.ts'
import type { Connection, GetFact, Runner } from '../core/host.ts'
import { createFactReader } from '../facts/fact-reader.ts'
import type { Emit, Outcome } from '../output/event.ts'
import { jsonRenderer, liveRenderer, plainRenderer, type Renderer } from '../output/renderer.ts'
import { withTable } from '../output/run-table.ts'
import type { Target } from '../spec/target.ts'

type AskPassword = (() => Promise<string>) | undefined

/** How to connect to hosts; `nonce` returns 32 random hex digits. `runners/connectors.ts` has those of the commands. */
export type Connectors = Readonly<{
  local: (askPassword: AskPassword) => Promise<Connection>
  ssh: (
    address: HostAddress,
    access: SshAccess,
    askPassword: AskPassword,
    interrupt: AbortSignal,
  ) => Promise<Connection>
  nonce: () => string
}>

/** A connected host. `freshFacts` creates a fact reader, by default over the root runner; `nonce` returns 32 random hex digits. */
export type HostSession = Readonly<{
  target: Target
  connection: Connection
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
  interrupted: EXIT_CODE.interrupted,
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

/** Twenty hosts are served side by side; each costs a connection and some megabytes here. */
const HOSTS_AT_ONCE_MAX = 32

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

/** Runs `stop` at the first interrupt, also one that came already. Returns what forgets it. */
function onInterrupt({ interrupt }: Invocation, stop: () => void): () => void {
  if (interrupt.aborted) stop()
  interrupt.addEventListener('abort', stop, { once: true })
  return () => interrupt.removeEventListener('abort', stop)
}

/**
 * Connects to a host. On a terminal, a password that sudo needs there is asked for. The first interrupt ends the attempt, and later the
 * questions that are put to the host then: both throw a `Failure` (exit 130).
 */
export async function connectTarget(
  invocation: Invocation,
  connectors: Connectors,
  { address, name, ssh }: Target,
): Promise<Connection> {
  const { interrupt } = invocation
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt }
  const askPassword = isInteractive(invocation) ? () => askHidden(terminal, `sudo password on ${name}: `) : undefined
  const interrupted = Promise.withResolvers<never>()
  const forget = onInterrupt(invocation, () => interrupted.reject(interruptedFailure('while connecting')))
  const connecting =
    address === undefined
      ? connectors.local(askPassword)
      : connectors.ssh(address, readSshAccess(invocation, ssh), askPassword, interrupt)
  const connection = await Promise.race([connecting, interrupted.promise]).finally(forget)
  const ignore = onInterrupt(invocation, () => connection.endReads(interruptedFailure('while the host was asked')))
  const close = async () => {
    ignore()
    await connection.close()
  }
  return { ...connection, close }
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
  connection: Connection,
  target: Target,
  { nonce }: Connectors,
  emit: Emit,
  work: HostWork['work'],
): Promise<HostResult> {
  try {
    const freshFacts = (run: Runner = connection.run) => createFactReader(run, nonce)
    return await work({ target, connection, run: connection.run, freshFacts, nonce, emit })
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
    const next = result.outcome === 'pending' ? { next: commandHint(invocation, 'bootstrap') } : {}
    emit({ event: 'run-finished', ...result, exitCode: code, ms, roundTrips: roundTrips(), ...next })
    return code
  }
  emit({ event: 'run-started', verb: invocation.verb.name })
  // It waited behind others when the interrupt came.
  if (invocation.interrupt.aborted) return finish(NOT_BEGUN, EXIT_CODE.interrupted)
  try {
    await beforehand?.(target)
    const counted = countRoundTrips(await connectTarget(invocation, connectors, target))
    roundTrips = counted.roundTrips
    const result = await runConnected(counted.connection, target, connectors, emit, work)
    return finish(result, CODES[result.outcome])
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    emit({ event: 'error', failure: error.text })
    return finish({ outcome: outcomeOf(error.code), applied: 0, remaining: 0 }, error.code)
  }
}

const NOT_BEGUN: HostResult = { outcome: 'interrupted', applied: 0, remaining: 0 }

/**
 * Runs the work on each host and returns the worst exit code. A failure on one host does not stop the others; after an interrupt no further
 * one is begun. Throws only for a defect, after all hosts have finished.
 */
export async function forEachHost(
  invocation: Invocation,
  connectors: Connectors,
  targets: readonly Target[],
  work: HostWork,
): Promise<ExitCode> {
  const renderer = rendererFor(invocation, targets)
  const waiting = [...targets]
  const codes: ExitCode[] = []
  const runNext = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      codes.push(await runOnHost(invocation, connectors, target, renderer, work))
    }
  }
  const workers = Array.from({ length: Math.min(HOSTS_AT_ONCE_MAX, targets.length) }, runNext)
  try {
    const settled = await Promise.allSettled(workers)
    for (const worker of settled) if (worker.status === 'rejected') throw worker.reason
    return worstExitCode(codes)
  } finally {
    renderer.close()
  }
}
