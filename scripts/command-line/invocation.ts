/** One call of a command: what was typed, where it runs, and how to answer. Commands get everything from here. */
import type { Verb } from './verb.ts'

/**
 * `action` is the second word of verbs that have one, `operands` the words after it.
 * `environment` is the process's own, read once in `cli.ts`. `root` is the clone or release folder.
 * `interrupt` is aborted by the first Ctrl-C (reason 'SIGINT') or by SIGTERM (reason 'SIGTERM'); a second
 * one ends the process at once. `stdout` takes data only, `stderr` takes talk.
 */
export type Invocation = Readonly<{
  verb: Verb
  action: string | undefined
  operands: readonly string[]
  options: Readonly<Record<string, string | boolean | readonly string[]>>
  environment: Readonly<Record<string, string | undefined>>
  root: string
  workingFolder: string
  verbs: readonly Verb[]
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  hasColor: boolean
  nowMs: () => number
  interrupt: AbortSignal
}>

/** The last value of an option that takes one; undefined when it was not given. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name]
  return typeof value === 'string' ? value : undefined
}

/** All values of a repeatable option, in order. */
export function textOptions(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name]
  return Array.isArray(value) ? value : []
}

/** Whether a switch was given. */
export function isGiven(invocation: Invocation, name: string): boolean {
  return invocation.options[name] !== undefined
}

/** Whether questions may be asked: both ends are a terminal and `--no-input` was not given. */
export function mayAsk(invocation: Invocation): boolean {
  return !isGiven(invocation, 'no-input') && invocation.stdin.isTTY === true && invocation.stderr.isTTY === true
}

/** What a command's module exports. Gives the process's exit code (see `exit-code.ts`). */
export type VerbModule = Readonly<{ run: (invocation: Invocation) => Promise<number> }>

/** In the order of `--help`. */
export type CommandTable = readonly (Verb & Readonly<{ load: () => Promise<VerbModule> }>)[]
