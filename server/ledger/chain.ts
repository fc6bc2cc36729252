/**
 * How a chain begins and ends. Its first entry records the heads of other chains, so that the loss of a chain's tail,
 * or of a whole chain, shows in every later one.
 */
import type { Entry, Head } from '../core/entry.ts'
import type { Clock, Database, Random } from '../core/ports.ts'
import { plainEntry } from './entry-builder.ts'

/** The head of every chain with its first entry; steps from chain to chain through the primary key. */
const HEADS = `WITH RECURSIVE chains (chain) AS (
    (SELECT chain FROM audit_events ORDER BY chain LIMIT 1)
    UNION ALL
    SELECT (SELECT later.chain FROM audit_events later WHERE later.chain > chains.chain ORDER BY later.chain LIMIT 1)
    FROM chains WHERE chains.chain IS NOT NULL
  )
  SELECT chains.chain, head.seq::float8 AS seq, head.hash, first.entry AS "firstEntry"
  FROM chains
  CROSS JOIN LATERAL (SELECT seq, hash FROM audit_events e WHERE e.chain = chains.chain ORDER BY seq DESC LIMIT 1) head
  CROSS JOIN LATERAL (SELECT entry FROM audit_events e WHERE e.chain = chains.chain ORDER BY seq LIMIT 1) first
  WHERE chains.chain IS NOT NULL`

/** Given the text of a chain's first entry, returns the heads that it records; none when it is not such an entry. */
export function recordedHeads(firstEntry: string): readonly Head[] {
  const entry = JSON.parse(firstEntry) as { event_kind?: unknown; details?: { heads?: unknown } }
  if (entry.event_kind !== 'chain' || !Array.isArray(entry.details?.heads)) return []
  return entry.details.heads as readonly Head[]
}

/** The same of a first entry that may be damaged, which is reported when its own row is read: then it records nothing. */
export function legibleHeads(firstEntry: string): readonly Head[] {
  try {
    return recordedHeads(firstEntry)
  } catch {
    return []
  }
}

/**
 * Returns the heads of all chains that no first entry records yet. The others are anchored already: whoever removes
 * one of them has to remove the chain that records it too, and so on up to a chain whose head is returned here. That
 * keeps first entries short after years of restarts.
 */
export async function unrecordedHeads(database: Database): Promise<readonly Head[]> {
  const rows = await readHeads(database)
  const position = (head: Head): string => `${head.chain} ${head.seq}`
  const recorded = new Set(rows.flatMap((row) => recordedHeads(row.firstEntry)).map(position))
  return rows
    .map(({ chain, seq, hash }): Head => ({ chain, seq, hash }))
    .filter((head) => !recorded.has(position(head)))
}

/** Returns the head of every chain, and the text of its first entry. */
export function readHeads(database: Database): Promise<readonly (Head & Readonly<{ firstEntry: string }>)[]> {
  return database.query(HEADS)
}

/** What a chain's first entry records: which instance writes it, the heads of other chains, and which vault key the instance has. */
export type ChainStart = Readonly<{ instance: string; heads: readonly Head[]; vaultKey: string | undefined }>

/** The first entry of a chain. */
export function chainOpenedEntry({ instance, heads, vaultKey }: ChainStart, clock: Clock, random: Random): Entry {
  const details = { instance, heads, ...(vaultKey === undefined ? {} : { vault_key: vaultKey }) }
  return plainEntry({ clock, random }, { eventKind: 'chain', eventType: 'chain_opened', details })
}

/** The last entry of a chain whose process stopped cleanly. A chain without it ended in a crash, or was truncated. */
export function chainClosedEntry(clock: Clock, random: Random): Entry {
  return plainEntry({ clock, random }, { eventKind: 'chain', eventType: 'chain_closed', details: {} })
}

/** Heads that an alarm names; of more it holds the count only. */
const LOST_LISTED_MAX = 20

/** Records that the database has lost entries which checkpoints had signed. */
export function alarmEntry(lost: readonly Head[], clock: Clock, random: Random): Entry {
  const details = { count: lost.length, lost: lost.slice(0, LOST_LISTED_MAX) }
  const known = { eventKind: 'chain', eventType: 'history_lost', severity: 'critical', details } as const
  return plainEntry({ clock, random }, known)
}
