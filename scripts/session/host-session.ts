/** Runs a verb on each of its hosts, side by side: connects, counts, shows, and gives one exit code. */

import { typedLine } from '../command-line/command-hint.ts'
import { type Invocation, isGiven, mayAsk } from '../command-line/invocation.ts'
import { askHidden } from '../command-line/prompt.ts'
import type { HostAddress } from '../connection/host-address.ts'
import { readSshAccess, type SshAccess } from '../connection/ssh-access.ts'
import { EXIT_CODE, type ExitCode } from '../core/exit-code.ts'
import { Failure } from '../core/failure.ts'
import type { Connection, Know, Runner } from '../core/host.ts'
import { knowing } from '../facts/fact-reader.ts'
import type { Outcome, Tell } from '../output/event.ts'
import { jsonRenderer, liveRenderer, plainRenderer, type Renderer } from '../output/renderer.ts'
import type { Target } from '../spec/target.ts'

type AskPassword = (() => Promise<string>) | undefined

/** The ways to a host, and numbers that nobody can guess (32 hex digits); commands hand them in, since only they may reach for runners. */
export type Connectors = Readonly<{
  local: (askPassword: AskPassword) => Promise<Connection>
  ssh: (address: HostAddress, access: SshAccess, askPassword: AskPassword) => Promise<Connection>
  nonce: () => string
}>

/** A host at hand. `nonce` gives 32 hex digits that nobody can guess; `look` fresh facts through root's runner. */
export type AtHand = Readonly<{
  target: Target
  connection: Connection
  run: Runner
  look: (run?: Runner) => Know
  nonce: () => string
  tell: Tell
}>

/** How the verb ended on a host. */
export type Done = Readonly<{ outcome: Outcome; applied: number; remaining: number }>

const CODES: Readonly<Record<Outcome, ExitCode>> = {
  'as-wanted': EXIT_CODE.asWanted,
  pending: EXIT_CODE.changesPending,
  declined: EXIT_CODE.changesPending,
  refused: EXIT_CODE.refused,
  locked: EXIT_CODE.locked,
  failed: EXIT_CODE.failed,
  unwell: EXIT_CODE.failed,
  interrupted: EXIT_CODE.interrupted,
  unreachable: EXIT_CODE.unreachable,
}

/** Of several hosts, the code that needs the operator most: the later in this list, the worse. */
const BY_GRAVITY: readonly ExitCode[] = [0, 2, 130, 4, 5, 6, 64, 3, 1]

/** The worst of the codes. */
export function worstOf(given: readonly ExitCode[]): ExitCode {
  return given.reduce(
    (worst, code) => (BY_GRAVITY.indexOf(code) > BY_GRAVITY.indexOf(worst) ? code : worst),
    EXIT_CODE.asWanted,
  )
}

/** The outcome that a failure's exit code stands for. */
export function outcomeOf(code: ExitCode): Outcome {
  return (Object.keys(CODES) as Outcome[]).find((outcome) => CODES[outcome] === code) ?? 'failed'
}

const HOSTS_AT_ONCE_MAX = 8

function rendererFor(invocation: Invocation, isNamed: boolean): Renderer {
  const { stdout, stderr, nowMs, environment } = invocation
  const paper = { out: (text: string) => stdout.write(text), talk: (text: string) => stderr.write(text) }
  if (isGiven(invocation, 'json')) return jsonRenderer(paper, nowMs)
  const isPlanData = invocation.verb.name === 'plan'
  const isLive = stderr.isTTY === true && environment['TERM'] !== 'dumb' && !isNamed
  return isLive
    ? liveRenderer(paper, isPlanData, () => stderr.columns || 80, nowMs)
    : plainRenderer(paper, isPlanData, isNamed)
}

async function connect(invocation: Invocation, connectors: Connectors, { address, name }: Target) {
  const terminal = { input: invocation.stdin, output: invocation.stderr, interrupt: invocation.interrupt }
  const askPassword = mayAsk(invocation) ? () => askHidden(terminal, `sudo password on ${name}: `) : undefined
  return address === undefined
    ? await connectors.local(askPassword)
    : await connectors.ssh(address, readSshAccess(invocation), askPassword)
}

/** Counts what goes over a connection; each command is one round trip. */
function counted(connection: Connection): Readonly<{ connection: Connection; roundTrips: () => number }> {
  let roundTrips = 0
  const count =
    (run: Runner): Runner =>
    (command, hear) => {
      roundTrips++
      return run(command, hear)
    }
  const { run, runAsUser } = connection
  return { connection: { ...connection, run: count(run), runAsUser: count(runAsUser) }, roundTrips: () => roundTrips }
}

type Work = (host: AtHand) => Promise<Done>

async function workOn(
  invocation: Invocation,
  connectors: Connectors,
  target: Target,
  renderer: Renderer,
  work: Work,
): Promise<ExitCode> {
  const startMs = invocation.nowMs()
  const tell: Tell = (event) => renderer.tell(target.name, event)
  let roundTrips = () => 0
  const finish = (done: Done, code: ExitCode): ExitCode => {
    const ms = Math.round(invocation.nowMs() - startMs)
    const next = done.outcome === 'pending' ? { next: typedLine(invocation, 'bootstrap') } : {}
    tell({ event: 'run-finished', ...done, exitCode: code, ms, roundTrips: roundTrips(), ...next })
    return code
  }
  tell({ event: 'run-started', verb: invocation.verb.name })
  try {
    const opened = counted(await connect(invocation, connectors, target))
    roundTrips = opened.roundTrips
    const { connection } = opened
    const { nonce } = connectors
    try {
      const look = (run: Runner = connection.run) => knowing(run, nonce)
      const done = await work({ target, connection, run: connection.run, look, nonce, tell })
      return finish(done, CODES[done.outcome])
    } finally {
      await connection.close()
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    tell({ event: 'error', failure: error.text })
    return finish({ outcome: outcomeOf(error.code), applied: 0, remaining: 0 }, error.code)
  }
}

/** One host's failure doesn't stop the others. Throws only for a defect, after all hosts are through. */
export async function onEachHost(
  invocation: Invocation,
  connectors: Connectors,
  targets: readonly Target[],
  work: Work,
): Promise<ExitCode> {
  const renderer = rendererFor(invocation, targets.length > 1)
  const waiting = [...targets]
  const codesGiven: ExitCode[] = []
  const takeNext = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      codesGiven.push(await workOn(invocation, connectors, target, renderer, work))
    }
  }
  const lanes = Array.from({ length: Math.min(HOSTS_AT_ONCE_MAX, targets.length) }, takeNext)
  try {
    const settled = await Promise.allSettled(lanes)
    for (const lane of settled) if (lane.status === 'rejected') throw lane.reason
    return worstOf(codesGiven)
  } finally {
    renderer.close()
  }
}
