/** Shows a run that is a unit of its host, as if it were here: its events, its guarded changes confirmed from here, and how it ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT_CODE } from '../../contract/exit-code.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { Failure } from '../core/failure.ts'
import { confirmCommand, refuseCommand } from '../core/guard.ts'
import type { Connection, Runner } from '../core/host.ts'
import type { Event } from '../output/event.ts'
import { unmetReason } from '../outside/ingress-expectation.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { interruptCommand, watchCommand } from './job-command.ts'
import { type JobEnd, parseJobLine } from './job-event.ts'

/** A laptop that was closed for a moment, a network that is changed over: then another connection is tried. */
const [RECONNECTS_MAX, RECONNECT_PAUSE_MS] = [5, 3000]

/** Over a connection that may be dead, an answer is not waited for longer. */
const ANSWER_MS = 15_000

/** `attachCommand` is what shows the run again. `isOwn`: Ctrl-C stops the run, not only the watching. */
export type WatchOptions = Readonly<{ attachCommand: string; isOwn: boolean }>

type Awaited = Extract<Event, { event: 'confirmation-awaited' }>

async function confirmOverNew({ reconnect }: HostSession, { change }: Awaited): Promise<void> {
  const connection = await reconnect()
  try {
    await connection.run({ ...confirmCommand(change), deadlineMs: ANSWER_MS })
  } finally {
    await connection.close()
  }
}

async function refusalReason(host: HostSession, awaited: Awaited): Promise<string | undefined> {
  const unmet = awaited.outside && (await unmetReason(awaited.outside))
  if (unmet !== undefined) return unmet
  try {
    await confirmOverNew(host, awaited)
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const { what, why } = error.text
    return `no new connection: ${what}${why === undefined ? '' : `: ${why}`}`
  }
}

/**
 * Confirms a guarded change over a new connection: the one that is there gets through any packet filter. An ingress has to answer first, as it did before.
 * Where one of both does not come about, the host is told over the old one, and else puts the change back by itself. What became of it is told by the run.
 */
async function confirmChange(host: HostSession, run: Runner, awaited: Awaited): Promise<void> {
  const reason = await refusalReason(host, awaited)
  if (reason !== undefined) await run(refuseCommand(awaited.change, reason)).catch(() => undefined)
}

/** What a person means who presses Ctrl-C. A closed terminal, or whoever ends this process otherwise, means this process only. */
function isStopRequest({ interrupt }: Invocation): boolean {
  return interrupt.reason === 'SIGINT'
}

function lostFailure({ text }: Failure, attachCommand: string): Failure {
  const why = text.why ?? text.what
  return new Failure(
    { what: 'the connection was lost; the run goes on on the host', why, next: attachCommand },
    EXIT_CODE.unreachable,
  )
}

function leftFailure(attachCommand: string): Failure {
  return new Failure({ what: 'the run goes on on the host', next: attachCommand }, EXIT_CODE.interrupted)
}

function resultOf(end: JobEnd | undefined): HostResult {
  if (end === undefined)
    throw new Failure({
      what: 'the run on the host ended without saying how',
      why: 'its process was killed, or the host was shut down',
      next: 'run the same command again: it continues where the run stopped',
    })
  if ('failure' in end) throw new Failure(end.failure, end.code)
  return end.result
}

/** Calls `onInterrupt` at the first interrupt, also one that came already. Returns what forgets it. */
function atInterrupt({ interrupt }: Invocation, onInterrupt: () => void): () => void {
  if (interrupt.aborted) onInterrupt()
  interrupt.addEventListener('abort', onInterrupt, { once: true })
  return () => interrupt.removeEventListener('abort', onInterrupt)
}

async function reconnected(host: HostSession, failure: Failure, attachCommand: string): Promise<Connection> {
  for (let attempt = 0; attempt < RECONNECTS_MAX; attempt++) {
    await sleep(RECONNECT_PAUSE_MS)
    try {
      return await host.reconnect()
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }
  throw lostFailure(failure, attachCommand)
}

/** Returns how the run ended. Throws a `Failure` as a run from here would, when the host is not reached any more (exit 6), and when an interrupt ended the watching (exit 130). */
export async function watchJob(
  invocation: Invocation,
  host: HostSession,
  { attachCommand, isOwn }: WatchOptions,
): Promise<HostResult> {
  let run: Runner = host.run
  let lines = 0
  let end: JobEnd | undefined
  const show = (event: Event, at: string) => {
    if (event.event === 'confirmation-awaited') confirmChange(host, run, event)
    host.emit(event, at)
  }
  const onLine = (text: string) => {
    const line = parseJobLine(text)
    if (line === undefined) return
    lines++
    if ('end' in line) end = line.end
    else show(line.event, line.at)
  }
  const left = Promise.withResolvers<void>()
  const forget = atInterrupt(invocation, () => {
    // A lost connection ends the watching by itself.
    if (isOwn && isStopRequest(invocation)) run(interruptCommand()).catch(() => undefined)
    else left.resolve()
  })
  const connections: Connection[] = []
  try {
    while (end === undefined) {
      const failure = await run(watchCommand(lines + 1, left.promise), onLine).then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof Failure && error.code === EXIT_CODE.unreachable) return error
          throw error
        },
      )
      if (failure === undefined) break
      const connection = await reconnected(host, failure, attachCommand)
      connections.push(connection)
      run = connection.run
    }
  } finally {
    forget()
    for (const connection of connections) await connection.close()
  }
  if (end === undefined && invocation.interrupt.aborted && !(isOwn && isStopRequest(invocation)))
    throw leftFailure(attachCommand)
  return resultOf(end)
}
