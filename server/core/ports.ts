/** The gateway's only hands: what it asks of the outside world. One adapter file each, one contract test each. */
import type { PolicyInput, Verdict } from './verdict.ts'

/** One SQL session or pool. The same SQL text serves PGlite and PostgreSQL 16; parameters are $1, $2 … */
export type Database = Readonly<{
  kind: 'memory' | 'local' | 'supabase'
  query: <Row>(sql: string, parameters?: readonly unknown[]) => Promise<readonly Row[]>
  /** Runs a text of several statements. */
  script: (sql: string) => Promise<void>
  /** Runs `work` on one connection in one transaction; rolls back when it throws. */
  transaction: <T>(work: (database: Database) => Promise<T>) => Promise<T>
  close: () => Promise<void>
}>

/** Counts calls in a window that all replicas share. Throws when it can't count: the step then fails, and closed. */
export type RateLimiter = Readonly<{
  take: (
    key: string,
    callsMax: number,
    windowMs: number,
    nowMs: number,
  ) => Promise<Readonly<{ isAllowed: boolean; remaining: number; resetMs: number }>>
  ping: () => Promise<void>
  close: () => Promise<void>
}>

/** Decides. Throws when it can't, which the caller turns into a refusal (503) in exactly one line. */
export type PolicyEngine = Readonly<{
  revision: string
  decide: (input: PolicyInput, decisionId: string) => Promise<Verdict>
}>

/** An answer of a model server: status, headers worth passing on, and its bytes as they come. */
export type UpstreamAnswer = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  body: AsyncIterable<Uint8Array>
}>

/** A model server that speaks the OpenAI API. `path` is below its base (`/chat/completions`). */
export type Upstream = Readonly<{
  name: string
  forward: (path: string, body: string, callId: string, signal: AbortSignal) => Promise<UpstreamAnswer>
  close: () => Promise<void>
}>

/** The time in milliseconds since 1970, and bytes that nobody can guess. */
export type Clock = Readonly<{ nowMs: () => number }>
export type Random = Readonly<{ bytes: (count: number) => Uint8Array }>
