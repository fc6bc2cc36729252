/**
 * Lets a release that is on the host bring itself into force: only its own toolkit knows its units, its settings and its migrations. It runs there
 * as if it were typed there, with its events as JSON, which are shown here.
 */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { hostCommandHint } from '../command-line/command-hint.ts'
import type { Invocation } from '../command-line/invocation.ts'
import { within } from '../core/command.ts'
import { Failure, type FailureText } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import { interruptCommand } from '../job/job-command.ts'
import type { Event } from '../output/event.ts'
import type { HostResult, HostSession } from '../session/host-session.ts'
import { releaseFolder } from './installed-release.ts'

/** A plan is asked for; a run has migrations, a drain of each instance and the time for which they are watched. */
const [PLAN_MINUTES, RUN_MINUTES] = [10, 48 * 60]
const LINES_KEPT = 20

/** The variable that says who typed a command that is run by the toolkit of a release on the host. */
export const OPERATOR_VARIABLE = 'TAPPASS_OPERATOR'

type Finished = Extract<Event, { event: 'run-finished' }>

/** Returns the command: the toolkit of the release, by the Node of the host. */
export function toolkitCommand(version: string, words: readonly string[], operator: string, isPlan: boolean): Command {
  const argv = [
    ...['env', `${OPERATOR_VARIABLE}=${operator}`, `${releaseFolder(version)}/tappass`],
    ...[...words, '--json', '--no-input', isPlan ? '--plan-only' : '--yes'],
  ] as unknown as Command['argv']
  return within(isPlan ? PLAN_MINUTES : RUN_MINUTES, { argv, effect: isPlan ? 'read' : 'change' })
}

/** Returns the event that a line is; undefined for any other text. */
export function parseEventLine(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const { v, at: _, host: __, ...event } = JSON.parse(line) as Event & { v?: unknown; at?: unknown; host?: unknown }
    return typeof v === 'number' && typeof event.event === 'string' ? (event as Event) : undefined
  } catch {
    return undefined
  }
}

/** What is wrong with the command line or the settings for that release is a reason to do nothing: an older one knows fewer options. */
function unfinished({ version, words }: Toolkit, code: number, lines: readonly string[]): Failure {
  const text: FailureText = {
    what: `the toolkit of release ${version} did not do it`,
    why: lines.join('\n         ') || `it ended with exit code ${code}`,
    next: `tappass releases; or by itself: sudo ${releaseFolder(version)}/tappass ${words.join(' ')}   (on the host)`,
  }
  return new Failure(text, code === EXIT_CODE.usage ? EXIT_CODE.refused : EXIT_CODE.failed)
}

function lost({ text }: Failure, invocation: Invocation): Failure {
  const next = hostCommandHint(invocation, 'attach')
  const why = text.why ?? text.what
  return new Failure(
    { what: 'the connection was lost; a run that has begun goes on on the host', why, next },
    EXIT_CODE.unreachable,
  )
}

type Toolkit = Readonly<{ version: string; words: readonly string[]; operator: string; isPlan: boolean }>

/** Runs it and shows its events; `isShown` says which. Returns how it ended, and throws a `Failure` when it did not get that far. */
export async function runOwnToolkit(
  invocation: Invocation,
  host: HostSession,
  toolkit: Toolkit,
  isShown: (event: Event) => boolean,
): Promise<HostResult> {
  const { version, words, operator, isPlan } = toolkit
  let finished: Finished | undefined
  const lines: string[] = []
  const onLine = (line: string) => {
    const event = parseEventLine(line)
    if (event === undefined) {
      if (line.trim() !== '') lines.push(line.trim())
    } else if (event.event === 'run-finished') finished = event
    else if (event.event !== 'run-started' && event.event !== 'handed-over' && isShown(event)) host.emit(event)
  }
  const onInterrupt = () => void host.run(interruptCommand()).catch(() => undefined)
  invocation.interrupt.addEventListener('abort', onInterrupt, { once: true })
  try {
    const command = toolkitCommand(version, words, operator, isPlan)
    const { code } = await host.run(command, onLine).catch((error: unknown) => {
      throw error instanceof Failure && error.code === EXIT_CODE.unreachable ? lost(error, invocation) : error
    })
    if (finished === undefined || finished.exitCode === EXIT_CODE.usage)
      throw unfinished(toolkit, code, lines.slice(-LINES_KEPT))
    const { outcome, applied, remaining, unhealthy, next } = finished
    return {
      ...{ outcome, applied, remaining },
      ...(unhealthy === undefined ? {} : { unhealthy }),
      ...(next === undefined ? {} : { next }),
    }
  } finally {
    invocation.interrupt.removeEventListener('abort', onInterrupt)
  }
}
