/** Runs a verb on several hosts in parallel: connects, counts round trips, renders events, and returns one exit code. */

import { EXIT_CODE, type ExitCode } from '../../contract/exit-code.ts'
import { commandHint } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, isInteractive } from '../command-line/invocation.ts'
import { askHidden } from '../command-line/prompt.ts'
import type { HostAddress } from '../connection/host-address.ts'
import { readSshAccess, type SshAccess } from '../connection/ssh-access.ts'
import { Failure } from '../core/failure.ts'
import type { Connection, GetFact, Runner } from '../core/host.ts'
import { createFactReader } from '../facts/fact-reader.ts'
import type { Emit, Outcome } from '../output/event.ts'
import { jsonRenderer, liveRenderer, plainRenderer, type Renderer } from '../output/renderer.ts'
import type { Target } from '../spec/target.ts'

type AskPassword = (() => Promise<string>) | undefined

/** How to connect to hosts; `nonce` returns 32 random hex digits. `runners/connectors.ts` has those of the commands. */
export type Connectors = Readonly<{
  local: (askPassword: AskPassword) => Promise<Connection>
  ssh: (address: HostAddress, access: SshAccess, askPassword: AskPassword) => Promise<Connection>
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

const HOSTS_AT_ONCE_MAX = 8

function rendererFor(invocation: Invocation, isNamed: boolean): Renderer {
  const { stdout, stderr, nowMs, environment, program } = invocation
  const streams = { stdout: (text: string) => stdout.write(text), stderr: (text: string) => stderr.write(text) }
  if (isGiven(invocation, 'json')) return jsonRenderer(streams, program, nowMs)
  const options = { program, isPlanData: invocation.verb.name === 'plan', hasDiffs: isGiven(invocation, 'diff') }
  const isLive = stderr.isTTY === true && environment['TERM'] !== 'dumb' && !isNamed
  return isLive
    ? liveRenderer(streams, options, () => stderr.columns || 80, nowMs)
    : plainRenderer(streams, options, isNamed)
}

/** Connects to a host. On a terminal, a password that sudo needs there is asked for. */
export async function connectTarget(
  invocation: Invocation,
  connectors: Connectors,
  { address, name, ssh }: Target,
): Promise<Connection> {
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
  const askPassword = isInteractive(invocation) ? () => askHidden(terminal, `sudo password on ${name}: `) : undefined
  return address === undefined
    ? await connectors.local(askPassword)
    : await connectors.ssh(address, readSshAccess(invocation, ssh), askPassword)
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

type Work = (host: HostSession) => Promise<HostResult>

async function runOnHost(
  invocation: Invocation,
  connectors: Connectors,
  target: Target,
  renderer: Renderer,
  work: Work,
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
  try {
    const counted = countRoundTrips(await connectTarget(invocation, connectors, target))
    roundTrips = counted.roundTrips
    const { connection } = counted
    const { nonce } = connectors
    try {
      const freshFacts = (run: Runner = connection.run) => createFactReader(run, nonce)
      const result = await work({ target, connection, run: connection.run, freshFacts, nonce, emit })
      return finish(result, CODES[result.outcome])
    } finally {
      await connection.close()
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    emit({ event: 'error', failure: error.text })
    return finish({ outcome: outcomeOf(error.code), applied: 0, remaining: 0 }, error.code)
  }
}

/** Runs `work` on each host and returns the worst exit code. A failure on one host does not stop the others. Throws only for a defect, after all hosts have finished. */
export async function forEachHost(
  invocation: Invocation,
  connectors: Connectors,
  targets: readonly Target[],
  work: Work,
): Promise<ExitCode> {
  const renderer = rendererFor(invocation, targets.length > 1)
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
