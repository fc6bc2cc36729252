/** The gateway's ports: everything that it needs of the outside world. One adapter file each, one contract test each. */
import type { Entry, Head } from './entry.ts'
import type { Tracer } from './trace.ts'
import type { PolicyInput, Verdict } from './verdict.ts'

/** One SQL session or pool. The same SQL text serves PGlite and PostgreSQL 16; parameters are $1, $2 … */
export type Database = Readonly<{
  kind: 'memory' | 'local' | 'supabase'
  query: <Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>
  /** Runs a script of several statements. */
  script: (sql: string) => Promise<void>
  /** Runs `work` on one connection in one transaction; rolls back when it throws. */
  transaction: <T>(work: (database: Database) => Promise<T>) => Promise<T>
  close: () => Promise<void>
  /** Where connections are pooled. */
  use?: () => PoolUse
}>

/** A Database that can also hold one connection for a while, as migrations need. */
export type SessionDatabase = Database &
  Readonly<{
    /** Runs `work` on one connection, so that session locks and settings apply inside; no transaction is opened. */
    session: <T>(work: (session: Database) => Promise<T>) => Promise<T>
  }>

/** How many more calls an agent may make, and when that changes; of how many, where that is known. */
export type Allowance = Readonly<{ isAllowed: boolean; remaining: number; resetMs: number; callsMax?: number }>

/** Counts calls in a window that all replicas share. Throws when it can't count; the step then fails closed. */
export type RateLimiter = Readonly<{
  take: (key: string, callsMax: number, windowMs: number, nowMs: number) => Promise<Allowance>
  ping: () => Promise<void>
  close: () => Promise<void>
  /** Where a server counts: its memory in bytes, and how much it may use (0: without a limit). Throws where it may not be asked. */
  memory?: () => Promise<Readonly<{ usedBytes: number; limitBytes: number }>>
}>

/**
 * Decides. Throws when it can't, which the caller turns into a refusal (503) in exactly one line. `verify`, where the engine is another
 * process, throws when that holds another policy than the one of `revision`.
 */
export type PolicyEngine = Readonly<{
  engine?: 'embedded' | 'opa'
  revision: string
  decide: (input: PolicyInput, decisionId: string) => Promise<Verdict>
  verify?: () => Promise<void>
  close?: () => Promise<void>
}>

/** What a change to the database came to, and the entry that records it; without one nothing was changed. */
export type Change<Value> = Readonly<{ value: Value; entry?: Entry }>

/** The head of a chain, and the root of the Merkle tree (RFC 6962) over all its entries. */
export type ChainHead = Head & Readonly<{ root: Uint8Array }>

/** Stores what happened. */
export type Ledger = Readonly<{
  /** Resolves when the entry is durable (in grouped mode: at most 5 ms before that), and rejects when that is uncertain. */
  append: (entry: Entry) => Promise<void>
  /** Makes a change and appends its entry in one transaction. Rejects with what `work` throws; then nothing is changed. */
  change: <Value>(work: (transaction: Database) => Promise<Change<Value>>) => Promise<Value>
  /** What is not durable yet. */
  pending?: () => QueueUse
  /** The head of this process's chain; undefined when none is open. */
  head: () => ChainHead | undefined
  /** Opens this process's chain if it is not open: at start, so that a failure is noticed then. */
  open: () => Promise<void>
  /** Appends the end of the chain, waits for all earlier appends, and accepts nothing more. */
  close: () => Promise<void>
}>

/**
 * What taints sessions. It is stored by the ledger, in the write of the entry that says so; what is older than a taint lasts
 * does not count.
 */
export type SessionTaints = Readonly<{
  /** The families of findings that taint the session of an agent. Throws when it can't tell; the call is then refused. */
  of: (agentUuid: string, session: string) => Promise<readonly string[]>
  /** Removes what does not count any more. */
  prune: () => Promise<void>
}>

/**
 * A response of a model server: status, the headers that are used, and its bytes: chunk by chunk (`body`), or all of
 * them (`bytes()`, undefined when there are more than `bodyBytesMax`). One of the two is read, once.
 */
export type UpstreamResponse = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  body: AsyncIterable<Uint8Array>
  bytes: (bodyBytesMax: number) => Promise<Uint8Array | undefined>
}>

/**
 * A model server that speaks the OpenAI API. `path` is below its base (`/chat/completions`); without a body it is a
 * GET. `forward` throws when there is no response; an error response is a value. `traceparent` goes along where the call has a trace.
 */
export type Upstream = Readonly<{
  name: string
  forward: (
    path: string,
    body: string | undefined,
    callId: string,
    signal: AbortSignal,
    traceparent?: string,
  ) => Promise<UpstreamResponse>
  close: () => Promise<void>
  /** Where connections are pooled. */
  use?: () => PoolUse
}>

/** What is counted, by labels in this order: `step`; `type`; `stage`, `action`; `step`; none; `outcome`; `upstream`, `outcome`. */
export type Counted =
  | 'pipeline_blocks'
  | 'pii_detections'
  | 'judgements'
  | 'step_failures'
  | 'policy_failures'
  | 'ledger_appends'
  | 'upstream_requests'

/** What is measured in seconds: by `step`, by `stage`, by `upstream`, or without a label. */
export type Measured = 'step_seconds' | 'ledger_seconds' | 'pipeline_seconds' | 'policy_seconds' | 'upstream_seconds'

/** Metrics. Never throws, never holds text of a call. */
export type Meter = Readonly<{
  count: (name: Counted, ...labels: readonly string[]) => void
  observe: (name: Measured, seconds: number, ...labels: readonly string[]) => void
}>

/** A pool of connections: how many are open, and of these idle; how many there may be; who waits for one. */
export type PoolUse = Readonly<{ open: number; idle: number; max: number; waiting: number }>

/** What waits: how many, and for how long the oldest has. */
export type QueueUse = Readonly<{ count: number; oldestMs: number }>

/** `nowMs`: the time in milliseconds since 1970. `elapsedMs`: milliseconds of a monotonic clock. */
export type Clock = Readonly<{ nowMs: () => number; elapsedMs: () => number }>

/** Cryptographically secure random bytes. */
export type Random = Readonly<{ bytes: (count: number) => Uint8Array }>

/** Which models go to which model server. */
export type ModelRoute = Readonly<{ models: RegExp; upstream: Upstream }>

/** Everything outside that a call may use. Of `routes`, the first whose `models` matches a model's name is taken. */
export type Ports = Readonly<{
  limiter: RateLimiter
  policy: PolicyEngine
  ledger: Ledger
  taints: SessionTaints
  routes: readonly ModelRoute[]
  meter: Meter
  /** Undefined where no setting asks for traces. */
  tracer?: Tracer | undefined
  clock: Clock
  random: Random
}>
