/**
 * Verifies entries one by one, chain after chain: every hash, every link, every head that a later chain recorded, every
 * signed checkpoint. Used on a database and on an export alike.
 */
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { GrowingTree, leafHash } from '../checkpoint/merkle-tree.ts'
import type { AuditRow, Head } from '../core/entry.ts'
import { sha256 } from '../core/hash.ts'

/** What is verified of an entry: its place, its text, its hashes. */
export type EntryRow = Pick<AuditRow, 'chain' | 'seq' | 'entry' | 'prev_hash' | 'hash'>

/** The first thing that does not hold: where, and why. */
export type Violation = Readonly<{ chain: string; seq: number; reason: string }>

/** A chain whose last entry is not its end: its process runs, or ended without closing it. */
export type UnendedChain = Pick<Head, 'chain' | 'seq'>

/** What has to be there: heads that chains recorded, and checkpoints whose signatures hold. */
export type Expected = Readonly<{ heads: readonly Head[]; checkpoints: readonly Checkpoint[] }>

type OpenChain = { readonly name: string; readonly tree: GrowingTree; last: EntryRow | undefined }

/** Verifies entries that are given in the order of chain and number. */
export class LedgerVerifier {
  chains = 0
  entries = 0
  /** Entries that a signed checkpoint covers. */
  signed = 0
  readonly unended: UnendedChain[] = []
  readonly #heads: Map<string, Head>
  readonly #checkpoints: Map<string, readonly Checkpoint[]>
  readonly #checkpointsAt: ReadonlyMap<string, readonly Checkpoint[]>
  #open: OpenChain | undefined

  constructor({ heads, checkpoints }: Expected) {
    this.#heads = new Map(heads.map((head) => [`${head.chain} ${head.seq}`, head]))
    const sorted = checkpoints.toSorted((one, other) => one.size - other.size)
    this.#checkpoints = Map.groupBy(sorted, ({ chain }) => chain)
    this.#checkpointsAt = Map.groupBy(sorted, ({ chain, size }) => `${chain} ${size}`)
  }

  /** Takes the next entry, and returns what does not hold, or undefined. */
  read(row: EntryRow): Violation | undefined {
    if (row.chain !== this.#open?.name) {
      const violation = this.#endChain()
      if (violation) return violation
      this.#open = { name: row.chain, tree: new GrowingTree(), last: undefined }
      this.chains += 1
    }
    this.entries += 1
    const open = this.#open
    const reason = findViolation(row, open.last) ?? this.#headViolation(row)
    if (reason) return { chain: row.chain, seq: row.seq, reason }
    open.tree.append(leafHash(row.entry))
    open.last = row
    const unlike = this.#checkpointViolation(row, open.tree)
    return unlike === undefined ? undefined : { chain: row.chain, seq: row.seq, reason: unlike }
  }

  /** Nothing follows: returns what is missing, or undefined. */
  finish(): Violation | undefined {
    const violation = this.#endChain()
    if (violation) return violation
    const [gone] = [...this.#checkpoints.values()].flatMap((checkpoints) => checkpoints.at(-1) ?? [])
    if (gone) return { chain: gone.chain, seq: 1, reason: `${signedAs(gone)}, and the chain is gone` }
    const [lost] = this.#heads.values()
    return lost && { chain: lost.chain, seq: lost.seq, reason: 'a later chain recorded this entry, and it is gone' }
  }

  #endChain(): Violation | undefined {
    const open = this.#open
    if (open?.last === undefined) return undefined
    const checkpoints = this.#checkpoints.get(open.name) ?? []
    this.#checkpoints.delete(open.name)
    const { seq, entry } = open.last
    if (!isClosing(entry)) this.unended.push({ chain: open.name, seq })
    this.signed += Math.min(checkpoints.at(-1)?.size ?? 0, seq)
    const cut = checkpoints.find(({ size }) => size > seq)
    const reason = cut && `${signedAs(cut)}, and the chain ends at ${seq}`
    return reason === undefined ? undefined : { chain: open.name, seq: seq + 1, reason }
  }

  #headViolation(row: EntryRow): string | undefined {
    const position = `${row.chain} ${row.seq}`
    const head = this.#heads.get(position)
    this.#heads.delete(position)
    return head && head.hash !== row.hash ? 'a later chain recorded another hash for it' : undefined
  }

  #checkpointViolation({ chain, seq, hash }: EntryRow, tree: GrowingTree): string | undefined {
    const here = this.#checkpointsAt.get(`${chain} ${seq}`) ?? []
    const wrong = here.find(({ head, root }) => head !== hash || !root.equals(tree.root()))
    return wrong && `${signedAs(wrong)}, with other entries`
  }
}

function signedAs({ size, time }: Checkpoint): string {
  return `a checkpoint of ${time} signed ${size} entries of this chain`
}

function isClosing(entry: string): boolean {
  return entry.includes('chain_closed') && (JSON.parse(entry) as { event_type?: unknown }).event_type === 'chain_closed'
}

/** Given a row and the row before it in its chain, returns what is wrong with it, or undefined. */
export function findViolation(row: EntryRow, previous: EntryRow | undefined): string | undefined {
  if (row.seq !== (previous?.seq ?? 0) + 1) {
    return row.seq < 1 ? 'no entry has this number' : `the entry before it, ${row.seq - 1}, is gone`
  }
  if (previous !== undefined && isClosing(previous.entry)) return 'it stands behind the end of its chain'
  if (row.prev_hash !== (previous?.hash ?? null)) return 'it does not continue the entry before it'
  if (sha256(row.entry) !== row.hash) return 'its text does not have its hash'
  return textViolation(row)
}

/** The text says where the entry stands. */
function textViolation(row: EntryRow): string | undefined {
  try {
    const text = JSON.parse(row.entry) as Partial<AuditRow>
    const names = ['chain', 'seq', 'prev_hash'] as const
    const wrong = names.find((name) => text[name] !== row[name])
    return wrong && `its column ${wrong} differs from its text`
  } catch {
    return 'its text is not JSON'
  }
}
