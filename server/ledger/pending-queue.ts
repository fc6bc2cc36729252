/** What waits to be written to the ledger, in order: entries, which are written together, and changes, each by itself. */
import type { Entry } from '../core/entry.ts'
import type { Change, Clock, Database, QueueUse } from '../core/ports.ts'

/**
 * When an append resolves: `durable`, when the database has flushed it; `grouped`, at once, as long as no entry has waited
 * for that longer than 5 ms.
 */
export type LedgerMode = 'durable' | 'grouped'

/** Entries of this time may be lost in grouped mode when the database or this process ends. */
const RISK_MS = 5

/** Rows in one INSERT: large enough for any number of waiting calls, small enough for one round trip. */
const BATCH_ROWS_MAX = 500

/** Appends and changes that may be pending; beyond it a call is refused at once instead of queueing behind a slow database. */
const PENDING_MAX = 20_000

type PendingAppend = Readonly<{ kind: 'append'; entry: Entry; queuedMs: number }> & PromiseWithResolvers<void>

/** A change whose work has the ledger's own transaction. */
export type PendingChange = Readonly<{
  kind: 'change'
  queuedMs: number
  work: (transaction: Database) => Promise<Change<unknown>>
}> &
  PromiseWithResolvers<unknown>

/** What is written next: entries at once, or one change. */
export type PendingWrite = readonly PendingAppend[] | PendingChange

/** The queue. `onLost` is called with the number of entries whose calls were answered and that could not be written. */
export class PendingQueue {
  readonly #mode: LedgerMode
  readonly #clock: Clock
  readonly #onLost: (entries: number, cause: unknown) => void
  readonly #waiting: (PendingAppend | PendingChange)[] = []
  readonly #released = new WeakSet<PendingAppend>()
  #writing: PendingWrite | undefined
  /** Nothing is released early until a write has succeeded: a database that is away is noticed by the first. */
  #isTrusted = false

  constructor(mode: LedgerMode, clock: Clock, onLost: (entries: number, cause: unknown) => void) {
    this.#mode = mode
    this.#clock = clock
    this.#onLost = onLost
  }

  /** Adds an entry. Resolves when its call may go on. */
  append(entry: Entry): Promise<void> {
    this.#assertRoom()
    const item: PendingAppend = { kind: 'append', entry, ...this.#item<void>() }
    this.#waiting.push(item)
    if (this.#mode === 'durable' || !this.#mayRelease(item.queuedMs)) return item.promise
    this.#released.add(item)
    item.promise.catch(() => {})
    return Promise.resolve()
  }

  /** Adds a change. Resolves with its value when the change and its entry are durable. */
  change<Value>(work: (transaction: Database) => Promise<Change<Value>>): Promise<Value> {
    this.#assertRoom()
    const item: PendingChange = { kind: 'change', work, ...this.#item<unknown>() }
    this.#waiting.push(item)
    return item.promise as Promise<Value>
  }

  /** Takes what is to be written next; undefined when nothing waits. */
  take(): PendingWrite | undefined {
    const changeAt = this.#waiting.findIndex(({ kind }) => kind === 'change')
    const count = changeAt < 0 ? BATCH_ROWS_MAX : Math.min(BATCH_ROWS_MAX, changeAt)
    const taken = this.#waiting.splice(0, Math.max(1, count))
    this.#writing = taken[0]?.kind === 'change' ? taken[0] : (taken as PendingAppend[])
    if (taken.length === 0) this.#writing = undefined
    return this.#writing
  }

  /** The taken entries are durable. */
  wrote(): void {
    this.#isTrusted = true
    if (this.#writing !== undefined && !('kind' in this.#writing)) for (const { resolve } of this.#writing) resolve()
    this.#writing = undefined
  }

  /** What was taken is not written, or nobody knows. */
  failed(cause: unknown): void {
    this.#isTrusted = false
    const items = this.#writing === undefined ? [] : 'kind' in this.#writing ? [this.#writing] : this.#writing
    this.#writing = undefined
    for (const { reject } of items) reject(cause)
    const lost = items.filter((item) => item.kind === 'append' && this.#released.has(item)).length
    if (lost > 0) this.#onLost(lost, cause)
  }

  /** What waits or is being written. */
  use(): QueueUse {
    const oldest = this.#oldest()
    const writing = this.#writing === undefined ? 0 : 'kind' in this.#writing ? 1 : this.#writing.length
    const oldestMs = oldest === undefined ? 0 : this.#clock.elapsedMs() - oldest.queuedMs
    return { count: this.#waiting.length + writing, oldestMs }
  }

  #oldest(): PendingAppend | PendingChange | undefined {
    const writing = this.#writing === undefined || 'kind' in this.#writing ? this.#writing : this.#writing[0]
    return writing ?? this.#waiting[0]
  }

  #item<Value>(): Readonly<{ queuedMs: number }> & PromiseWithResolvers<Value> {
    return { queuedMs: this.#clock.elapsedMs(), ...Promise.withResolvers<Value>() }
  }

  #assertRoom(): void {
    if (this.#waiting.length >= PENDING_MAX) throw new Error(`${PENDING_MAX} entries wait to be written`)
  }

  #mayRelease(nowMs: number): boolean {
    const oldest = this.#oldest()
    return this.#isTrusted && oldest !== undefined && nowMs - oldest.queuedMs < RISK_MS
  }
}
