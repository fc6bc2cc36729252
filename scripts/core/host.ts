/** A host as the toolkit sees it: commands go in, outputs come out; nothing else touches the host. */
import type { Duplex } from 'node:stream'

/**
 * Bytes of which a part may have arrived at a host before: by their SHA-256 (lower-case hex) that part is known again. `bytes` returns how many they are.
 */
export type Resumable = Readonly<{
  sha256: string
  bytes: () => number
  openAt: (offset: number) => AsyncIterable<Uint8Array>
}>

/**
 * A command's standard input: text, bytes, or a stream that is opened when the command runs; `identity` says which bytes it has. `isElsewhere`: they are not
 * on this machine, so that such a command can be planned and not run. `resumable`: they may be sent in more than one go; a function where they are made only when they are sent.
 */
export type Stdin =
  | string
  | Uint8Array
  | Readonly<{
      open: () => AsyncIterable<Uint8Array>
      identity?: string
      resumable?: Resumable | (() => Promise<Resumable>)
      isElsewhere?: true
    }>

/**
 * A program to run on the host. `argv` never holds a secret; secrets travel in `stdin`.
 * `effect` says whether the command may change the host: a read-only runner throws for `change`. `deadlineMs` is how long it may take
 * (`deadlineMsOf` has the defaults), `outputBytesMax` how much it may print on each stream. A question that is `isLong` keeps the host busy
 * for some hundredths of a second: it is asked beside the others. `isSecret`: its standard input holds a secret, of which not even a digest is kept.
 * A change that `isRenewal` only renews what the host knows of others (lists of packages): whether it is needed depends on the clock.
 * One that `isStreamed` has no deadline, and what it prints is not kept: its lines go to `onLine`. It ends by itself, or with its standard input.
 */
export type Command = Readonly<{
  argv: readonly [string, ...string[]]
  effect: 'read' | 'change'
  stdin?: Stdin
  deadlineMs?: number
  outputBytesMax?: number
  isLong?: boolean
  isSecret?: boolean
  isRenewal?: boolean
  isStreamed?: boolean
}>

/**
 * The result of a command. `code` is its exit code (128 + n after signal n). `stdout` is decoded as UTF-8;
 * `stdoutBytes` are the raw bytes, where the runner keeps them. `overdueMs` is the deadline at which it was ended, if it was.
 */
export type Output = Readonly<{
  code: number
  stdout: string
  stderr: string
  stdoutBytes?: Uint8Array
  overdueMs?: number
}>

/**
 * Runs a command on the host. Returns non-zero codes as values, also for a command that was ended at its deadline; throws only when the
 * command could not be run, when it printed too much, and when an interrupt ended it.
 * `onLine` receives each line of either stream as it arrives.
 */
export type Runner = (command: Command, onLine?: (line: string) => void) => Promise<Output>

/** One command that answers the same query for many subjects, and how to split its output by subject. */
export type BatchQuery = Readonly<{
  query: (subjects: readonly string[]) => Command
  split: (output: Output, subjects: readonly string[]) => ReadonlyMap<string, Output>
}>

/**
 * A property of a host: the command that queries it and how to parse the output. `parse` is total: a missing tool or file is a value.
 * Facts requested in one turn of the event loop share one round trip; those with the same `batchQuery` (the same object) share one
 * process, each with its own `subject`. `planned` returns what of the value a plan on file holds on to: all of it without this,
 * nothing (undefined) of what changes by itself.
 */
export type Fact<T> = Readonly<{
  query: Command
  parse: (output: Output) => T
  batchQuery?: BatchQuery
  subject?: string
  planned?(value: T): unknown
}>

/** Returns the value of a fact; requests of one turn are batched. */
export type GetFact = <T>(fact: Fact<T>) => Promise<T>

/**
 * A connection to one host. `run` runs commands as root, `runAsUser` as the account that logged in. `endReads` ends the read commands that
 * run now: they reject with that reason; changes go on to their end. `dial` connects from the host to another one, and rejects with the reason why
 * it can't.
 */
export type Connection = Readonly<{
  run: Runner
  runAsUser: Runner
  endReads: (reason: Error) => void
  dial: (host: string, port: number) => Promise<Duplex>
  close: () => Promise<void>
}>
