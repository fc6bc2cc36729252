/** Who changed something, as far as traces tell. It never guesses: what names nobody is unknown. */
import type { Who } from '../output/drift-record.ts'
import type { Subject } from './subject.ts'
import type { RootSession, Times } from './trace.ts'

/** A run of ours, from its begin to its end. */
export type RunSpan = Readonly<{ number: number; from: number; until: number }>

/** The clocks of a log with whole seconds and of the file system. */
const TOLERANCE_SECONDS = 1.5
const COMMAND_CHARS_MAX = 120

/** Returns when the subject was last changed; undefined where nothing says it. */
export function changeTime({ paths, packages, unit }: Subject, times: Times): number | undefined {
  const found = [
    ...paths.map((path) => times.paths.get(path)),
    ...packages.map((name) => times.packages.get(name)?.at),
    unit === undefined ? undefined : times.units.get(unit),
  ].filter((each) => each !== undefined)
  return found.length === 0 ? undefined : Math.max(...found)
}

function covers({ from, until = Number.POSITIVE_INFINITY }: Pick<RootSession, 'from' | 'until'>, at: number): boolean {
  return from - TOLERANCE_SECONDS <= at && at <= until + TOLERANCE_SECONDS
}

function names(command: string, word: string): boolean {
  return command.split(/[\s'"=;|&()<>]+/).includes(word)
}

/** Of what somebody typed only a command about the subject is repeated. */
function named(sessions: readonly RootSession[], { words }: Subject): Who | undefined {
  const found = sessions.filter(({ command = '' }) => words.some((word) => names(command, word)))
  const accounts = new Set(found.map(({ account }) => account))
  const [first] = found.toReversed()
  if (first?.command === undefined || accounts.size !== 1) return undefined
  const { account, by, command } = first
  const text = command.length <= COMMAND_CHARS_MAX ? command : `${command.slice(0, COMMAND_CHARS_MAX)}…`
  return { kind: 'account', account, by, command: text }
}

/** Returns who changed the subject at that time. Pure. */
export function whoChanged(
  subject: Subject,
  at: number | undefined,
  { times, sessions, runs }: Readonly<{ times: Times; sessions: readonly RootSession[]; runs: readonly RunSpan[] }>,
): Who {
  if (at === undefined) return { kind: 'unknown' }
  const [trace] = subject.packages.flatMap((name) => times.packages.get(name) ?? [])
  if (trace !== undefined) {
    const { command, account } = trace
    return { kind: 'packages', command, ...(account === undefined ? {} : { account }) }
  }
  const run = runs.findLast(({ from, until }) => from <= at && at <= until)
  const present = sessions.filter((session) => covers(session, at))
  const account = named(present, subject)
  if (account !== undefined) return account
  if (run !== undefined) return { kind: 'run', number: run.number }
  if (present.length === 0) return { kind: 'unknown' }
  return { kind: 'present', sessions: [...new Set(present.map(({ account: name, by }) => `${name} by ${by}`))] }
}
