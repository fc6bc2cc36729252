/** One invocation of a command: arguments, environment, streams, clock. Commands get everything from here. */
import type { Verb } from './verb.ts'

/**
 * `action` is the second word of verbs that have one, `operands` the words after it.
 * `environment` is that of the process, read once in `cli.ts`. `root` is the clone or release folder. `program` is what the user types
 * to run TapPass (`./tappass`, `tappass`).
 * `interrupt` is aborted by the first Ctrl-C (reason 'SIGINT') or by SIGTERM (reason 'SIGTERM'); a second
 * one ends the process at once. `stdout` is for data, `stderr` for messages.
 */
export type Invocation = Readonly<{
  verb: Verb
  action: string | undefined
  operands: readonly string[]
  options: Readonly<Record<string, string | boolean | readonly string[]>>
  environment: Readonly<Record<string, string | undefined>>
  root: string
  workingFolder: string
  program: string
  verbs: readonly Verb[]
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  hasColor: boolean
  nowMs: () => number
  interrupt: AbortSignal
}>

/** Returns the last value of an option; undefined when it was not given. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name]
  return typeof value === 'string' ? value : undefined
}

/** Returns all values of a repeatable option, in order. */
export function textOptions(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name]
  return Array.isArray(value) ? value : []
}

/** Whether an option was given. */
export function isGiven(invocation: Invocation, name: string): boolean {
  return invocation.options[name] !== undefined
}

/** Whether questions may be asked: stdin and stderr are terminals and `--no-input` was not given. */
export function isInteractive(invocation: Invocation): boolean {
  return !isGiven(invocation, 'no-input') && invocation.stdin.isTTY === true && invocation.stderr.isTTY === true
}

/** What the module of a command exports. `run` returns the exit code of the process (`exit-code.ts`). */
export type VerbModule = Readonly<{ run: (invocation: Invocation) => Promise<number> }>

/** The commands, in the order of `--help`. */
export type CommandTable = readonly (Verb & Readonly<{ load: () => Promise<VerbModule> }>)[]
