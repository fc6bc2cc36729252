/**
 * The ledger: seals entries into this process's own chain and resolves only once they are durable. Concurrent appends
 * share one INSERT (group commit); no lock is shared with other processes.
 */

import { GrowingTree, leafHash } from '../checkpoint/merkle-tree.ts'
import type { SealedEntry } from '../core/entry.ts'
import type { ChainHead, Clock, Database, Ledger, Random } from '../core/ports.ts'
import { ulid } from '../core/ulid.ts'
import { isUnavailable } from '../database/database-error.ts'
import { chainClosedEntry, chainOpenedEntry, unrecordedHeads } from './chain.ts'
import { insertEntries } from './entry-insert.ts'
import { lostHeads } from './history-check.ts'
import { type LedgerMode, type PendingChange, PendingQueue, type PendingWrite } from './pending-queue.ts'
import { seal } from './seal.ts'

/**
 * What a ledger needs: the database, this process's instance name, and clock and randomness for the chain's name. `vaultKey` is the fingerprint of the key that aliases
 * of ids come from. In grouped mode `onLost` is called with the number of entries that were answered for and could not be written.
 */
export type LedgerOptions = Readonly<{
  database: Database
  instance: string
  vaultKey?: string | undefined
  clock: Clock
  random: Random
  mode?: LedgerMode
  onLost?: (entries: number, cause: unknown) => void
}>

/** A change waits no longer for rows that another process holds: the calls behind it wait, too. */
const LOCK_TIMEOUT = `SET LOCAL lock_timeout = '1s'`

/** The chain that is written: its last entry, and the tree over all of them. */
type OpenChain = { last: SealedEntry; readonly tree: GrowingTree }

/** A change that did not come to an entry: nothing is written, and the chain goes on. */
class ChangeError extends Error {
  override readonly name = 'ChangeError'
}

/**
 * Creates a ledger. After an INSERT with a result that stays unknown (the database did not come back), the chain is abandoned and the next
 * append opens a new one, whose first entry records where the old one ended.
 */
export function createLedger(options: LedgerOptions): Ledger {
  const pending = new PendingQueue(options.mode ?? 'durable', options.clock, options.onLost ?? (() => {}))
  let chain: OpenChain | undefined
  let draining: Promise<void> | undefined
  let isClosed = false
  async function drain(): Promise<void> {
    for (let next = pending.take(); next !== undefined; next = pending.take()) {
      try {
        chain ??= await openChain(options)
        await write(options.database, chain, next)
        pending.wrote()
      } catch (cause) {
        if (!(cause instanceof ChangeError)) chain = undefined
        pending.failed(cause instanceof ChangeError ? cause.cause : cause)
      }
    }
    draining = undefined
  }

  /** Not async: a call waits for this twice, and each promise around a promise is three more turns. */
  function put<Value>(add: () => Promise<Value>): Promise<Value> {
    try {
      if (isClosed) throw new Error('the ledger is closed')
      const added = add()
      draining ??= Promise.resolve().then(drain)
      return added
    } catch (cause) {
      return Promise.reject(cause)
    }
  }

  return {
    append: (entry) => put(() => pending.append(entry)),
    change: (work) => put(() => pending.change(work)),
    pending: () => pending.use(),
    head: () => chain && headOf(chain),
    open: async () => {
      await draining
      chain ??= await openChain(options)
    },
    close: async () => {
      if (isClosed) return
      const isOpen = chain !== undefined || draining !== undefined
      const last = isOpen ? put(() => pending.append(chainClosedEntry(options.clock, options.random))) : undefined
      isClosed = true
      await last
      await draining
    },
  }
}

function headOf({ last, tree }: OpenChain): ChainHead {
  const { chain, seq, hash } = last
  return { chain, seq, hash, root: tree.root() }
}

/** Opens a chain of this process, with an entry that records the heads of other chains. */
async function openChain({ database, instance, vaultKey, clock, random }: LedgerOptions): Promise<OpenChain> {
  const chain = `${instance}-${ulid(clock, random)}`
  const heads = await unrecordedHeads(database)
  const first = seal(chainOpenedEntry({ instance, heads, vaultKey }, clock, random), chain, 1, null)
  await insertEntries(database, [first])
  const open = { last: first, tree: new GrowingTree() }
  open.tree.append(leafHash(first.entry))
  return open
}

async function write(database: Database, chain: OpenChain, next: PendingWrite): Promise<void> {
  if ('kind' in next) return writeChange(database, chain, next)
  const rows: SealedEntry[] = []
  for (const { entry } of next) {
    const { chain: name, seq, hash } = rows.at(-1) ?? chain.last
    rows.push(seal(entry, name, seq + 1, hash))
  }
  await insertOnce(database, rows)
  accept(chain, rows)
}

/** Inserts the rows. Where a lost connection leaves it unknown whether they were written, it looks, and writes what was not. */
async function insertOnce(database: Database, rows: readonly SealedEntry[]): Promise<void> {
  try {
    await insertEntries(database, rows)
  } catch (cause) {
    const head = rows.at(-1)
    if (head === undefined || !isUnavailable(cause)) throw cause
    // Only this process writes this chain, and all rows are in one statement: the last one is there with all others or not at all.
    if ((await lostHeads(database, [head])).length > 0) await insertEntries(database, rows)
  }
}

/** Makes a change and writes its entry in one transaction. Throws ChangeError when the change itself fails. */
async function writeChange(database: Database, chain: OpenChain, { work, resolve }: PendingChange): Promise<void> {
  const { value, row } = await database.transaction(async (transaction) => {
    await transaction.query(LOCK_TIMEOUT)
    const change = await work(transaction).catch((cause: unknown) => {
      throw new ChangeError('the change failed', { cause })
    })
    const { chain: name, seq, hash } = chain.last
    const sealed = change.entry && seal(change.entry, name, seq + 1, hash)
    if (sealed) await insertEntries(transaction, [sealed]).catch(notWritten)
    return { value: change.value, row: sealed }
  })
  if (row) accept(chain, [row])
  resolve(value)
}

function notWritten(cause: unknown): never {
  throw new Error('the entry of a change was not written', { cause })
}

function accept(chain: OpenChain, rows: readonly SealedEntry[]): void {
  for (const row of rows) {
    chain.tree.append(leafHash(row.entry))
    chain.last = row
  }
}
