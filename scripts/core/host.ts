/** A host as the toolkit sees it: commands go in, outputs come out, and nothing else touches it. */

/**
 * One program to run on the host. `argv` never holds a secret; secrets travel in `stdin`.
 * `effect` says whether it may change the host: a read-only runner refuses `change`.
 */
export type Command = Readonly<{
  argv: readonly [string, ...string[]]
  effect: 'read' | 'change'
  stdin?: string | Uint8Array
}>

/** What a command said. `code` is its exit code (128 + n after signal n). */
export type Output = Readonly<{ code: number; stdout: string; stderr: string }>

/** Runs a command on the host. Returns non-zero codes as values; throws only when it could not run at all. */
export type Runner = (command: Command) => Promise<Output>

/**
 * A question put to a host. `parse` is total: a missing tool or file parses to a value that says so.
 * Facts that are asked in one turn of the event loop travel in one round trip.
 */
export type Fact<T> = Readonly<{ ask: Command; parse: (answer: Output) => T }>

/** Answers a question, batched with all others of the same turn. */
export type Know = <T>(fact: Fact<T>) => Promise<T>
