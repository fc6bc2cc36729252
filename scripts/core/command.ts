/** Builders of commands that change a host, and how long a command may take. */
import type { Command, Resumable, Stdin } from './host.ts'
import { quoteAll } from './quoting.ts'

/** A program with its arguments. Never pass a secret as an argument. */
export function changeCommand(...argv: readonly [string, ...string[]]): Command {
  return { argv, effect: 'change' }
}

/** A POSIX script with arguments `$1`, `$2` …; it stops at the first failure. `stdin` may hold a secret. */
export function scriptCommand(script: string, args: readonly string[], stdin?: Stdin): Command {
  return {
    argv: ['sh', '-euc', script, 'sh', ...args],
    effect: 'change',
    ...(stdin === undefined ? {} : { stdin }),
  }
}

/** Returns what may be sent in more than one go to a command's standard input; undefined for what may not. */
export async function resumableOf(stdin: Stdin | undefined): Promise<Resumable | undefined> {
  const resumable = typeof stdin === 'object' && 'open' in stdin ? stdin.resumable : undefined
  return typeof resumable === 'function' ? await resumable() : resumable
}

/** A question, or all questions of one turn. The slowest machine answers them in a few seconds. */
const READ_DEADLINE_MS = 30_000
/** A change that waits for nobody: files, accounts, links. Kinds that download, install or start something say their own with `within`. */
const CHANGE_DEADLINE_MS = 300_000

/** Returns how long a command may take; infinity for one that is streamed. */
export function deadlineMsOf({ effect, deadlineMs, isStreamed = false }: Command): number {
  if (isStreamed) return Number.POSITIVE_INFINITY
  return deadlineMs ?? (effect === 'read' ? READ_DEADLINE_MS : CHANGE_DEADLINE_MS)
}

/** Returns the command with a deadline of its own, in minutes. */
export function within(minutes: number, command: Command): Command {
  return { ...command, deadlineMs: minutes * 60_000 }
}

const SECONDS_TO_KILL = 5

/**
 * Returns the argument list under timeout(1): the host itself ends a command at its deadline, with everything that it started, also when
 * nobody listens any more.
 */
export function timeoutArgv(command: Command): readonly [string, ...string[]] {
  if (command.isStreamed === true) return command.argv
  return ['timeout', '-k', `${SECONDS_TO_KILL}`, `${deadlineMsOf(command) / 1000}`, ...command.argv]
}

/** The name of a script (its `$0`) that runs its arguments as a command. */
export const RETRYING = 'retrying'

/** The words of a command for people: of a script that is named for systemctl, what it does with which unit; of one that runs a command, that. */
export function wordsOf({ argv }: Pick<Command, 'argv'>): readonly string[] {
  if (argv[0] !== 'sh') return argv
  if (argv[3] === RETRYING) return argv.slice(4)
  return argv[3] === 'systemctl' ? argv.slice(3, 6) : argv
}

const COMMAND_CHARS_MAX = 200

/** Returns a command as text: quoted, on one line, truncated. Standard input is never shown. */
export function describeCommand(command: Pick<Command, 'argv'>): string {
  const text = quoteAll(wordsOf(command)).replaceAll(/\s+/g, ' ')
  return text.length <= COMMAND_CHARS_MAX ? text : `${text.slice(0, COMMAND_CHARS_MAX)}…`
}

/** Where a file or folder is created before it is renamed into place: hidden, in the same folder, with the same name on every run, so that a killed run leaves no litter. */
export function temporaryPath(path: string): string {
  const nameStart = path.lastIndexOf('/') + 1
  return `${path.slice(0, nameStart)}.${path.slice(nameStart)}.tappass-new`
}
