/** A host as the toolkit sees it: commands go in, outputs come out, and nothing else touches it. */

/** Bytes for a command's standard input: text, bytes, or a source that is opened when the command runs. */
export type Stdin = string | Uint8Array | Readonly<{ open: () => AsyncIterable<Uint8Array> }>

/**
 * One program to run on the host. `argv` never holds a secret; secrets travel in `stdin`.
 * `effect` says whether it may change the host: a read-only runner refuses `change`.
 */
export type Command = Readonly<{
  argv: readonly [string, ...string[]]
  effect: 'read' | 'change'
  stdin?: Stdin
}>

/**
 * What a command said. `code` is its exit code (128 + n after signal n). `stdout` is decoded as UTF-8;
 * `stdoutBytes` are the bytes themselves, where the runner keeps them.
 */
export type Output = Readonly<{ code: number; stdout: string; stderr: string; stdoutBytes?: Uint8Array }>

/**
 * Runs a command on the host. Returns non-zero codes as values; throws only when it could not run at all.
 * `hear` gets each line of either stream as it comes.
 */
export type Runner = (command: Command, hear?: (line: string) => void) => Promise<Output>

/** One process that answers questions of one kind for all their subjects at once, and how its answer falls apart. */
export type Joint = Readonly<{
  ask: (subjects: readonly string[]) => Command
  split: (answer: Output, subjects: readonly string[]) => ReadonlyMap<string, Output>
}>

/**
 * A question put to a host. `parse` is total: a missing tool or file parses to a value that says so.
 * Facts that are asked in one turn of the event loop travel in one round trip; those with the same `joint`
 * (the same object) share one process, each with its own `subject`.
 */
export type Fact<T> = Readonly<{
  ask: Command
  parse: (answer: Output) => T
  joint?: Joint
  subject?: string
}>

/** Answers a question, batched with all others of the same turn. */
export type Know = <T>(fact: Fact<T>) => Promise<T>

/** A way to one host. `run` has root's rights there; `runAsUser` those of the account that was connected to. */
export type Connection = Readonly<{
  run: Runner
  runAsUser: Runner
  close: () => Promise<void>
}>
