/** A cache of API keys in front of the database, which also updates when a key was last used. */
import type { Clock, Database } from '../core/ports.ts'

/** How long a cached key is trusted, and so how long a key that another replica revoked still works on this one. */
export const KEY_CACHE_TTL_MS = 1000

/**
 * Minimum time between two updates of `last_used_at`, in the database (as an interval) and here, where updates may be
 * failing.
 */
const TOUCH_INTERVAL = `interval '1 minute'`
const TOUCH_INTERVAL_MS = 60_000

/** Keys cached at once, and as many hashes that are no key's. */
const KEYS_MAX = 10_000

/** How long a hash that is no key's is not looked up again. Keys are random: one that was tried before it existed is none. */
const UNKNOWN_HASH_TTL_MS = 10_000

/** Lookups at once: keys that nobody has must not take the connections that the ledger needs. */
const LOOKUPS_MAX = 4

/** An issued key, and the agent that it belongs to. */
export type KeyRow = Readonly<{
  id: string
  kind: string
  role: string | null
  expires_at: Date | null
  revoked_at: Date | null
  agent_id: string | null
  agent_uuid: string | null
  org_id: string | null
  is_active: boolean | null
  /** Whether the key is valid and its `last_used_at` is due for an update. */
  should_touch: boolean
}>

const isTouchDue = (column: string): string => `coalesce(${column} < now() - ${TOUCH_INTERVAL}, true)`

/**
 * How credentials are found, and how it is noted that one was used: `$1` is what it is found by, and the id of its row. `unknownMs`: for how long what belongs to
 * nobody is not looked up again.
 */
export type CredentialStatements = Readonly<{ lookup: string; touch: string; unknownMs: number }>

const LOOKUP = `SELECT k.id::text AS id, k.kind, k.role, k.expires_at, k.revoked_at, a.agent_id, a.agent_uuid,
    coalesce(a.org_id, k.org_id)::text AS org_id, a.is_active,
    k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true) AND ${isTouchDue('last_used_at')} AS should_touch
  FROM api_keys k LEFT JOIN agents a ON a.id = k.agent_id WHERE k.key_hash = $1`

/** API keys, by their hashes. Another replica may have noted a use meanwhile. */
export const BY_KEY_HASH: CredentialStatements = {
  lookup: LOOKUP,
  touch: `UPDATE api_keys SET last_used_at = now() WHERE id = $1::uuid AND ${isTouchDue('last_used_at')}`,
  unknownMs: UNKNOWN_HASH_TTL_MS,
}

/** Agents, by their SPIFFE ids: their row is their credential. A workload may come before its agent is registered. */
export const BY_SPIFFE_ID: CredentialStatements = {
  lookup: `SELECT id::text AS id, 'agent' AS kind, NULL AS role, NULL AS expires_at, NULL AS revoked_at, agent_id, agent_uuid,
      org_id::text AS org_id, is_active, is_active AND ${isTouchDue('svid_used_at')} AS should_touch
    FROM agents WHERE spiffe_id = $1`,
  touch: `UPDATE agents SET svid_used_at = now() WHERE id = $1::uuid AND ${isTouchDue('svid_used_at')}`,
  unknownMs: KEY_CACHE_TTL_MS,
}

type CacheEntry = {
  readonly row: Promise<KeyRow | undefined>
  readonly expiresMs: number
  /** The row, once the query has returned. */
  key?: KeyRow
  touchedMs: number
}

/** Keys by their hashes, or agents by their SPIFFE ids. */
export type KeyCache = Readonly<{
  /** Returns a cached key; undefined when it has to be looked up. */
  peek: (hash: string) => KeyRow | undefined
  /** Rejects when the database does. */
  lookup: (hash: string) => Promise<KeyRow | undefined>
  /** Drops all entries. */
  clear: () => void
}>

/** Creates the cache. How long something is in it is told by the clock that only runs forward: a key that was revoked elsewhere must not be good for longer because the clock was set back. `last_used_at` is updated in the background; `onError` is called when that fails. */
export function createKeyCache(
  database: Database,
  clock: Clock,
  onError: (cause: unknown) => void,
  statements: CredentialStatements = BY_KEY_HASH,
): KeyCache {
  const entries = new Map<string, CacheEntry>()
  const unknown = createUnknownKeys(statements.unknownMs)
  const limited = createLimit(LOOKUPS_MAX)
  const touch = (key: KeyRow, entry: CacheEntry, nowMs: number): void => {
    if (isTouched(key, entry, nowMs)) database.query(statements.touch, [key.id]).catch(onError)
  }

  function lookup(hash: string): Promise<KeyRow | undefined> {
    const nowMs = clock.elapsedMs()
    const previous = entries.get(hash)
    if (previous && previous.expiresMs > nowMs) return previous.row
    if (unknown.has(hash, nowMs)) return Promise.resolve(undefined)
    if (entries.size >= KEYS_MAX) entries.clear()
    const row = limited(() => database.query<KeyRow>(statements.lookup, [hash])).then(([row]) => row)
    const entry: CacheEntry = {
      row,
      expiresMs: nowMs + KEY_CACHE_TTL_MS,
      touchedMs: previous?.touchedMs ?? -TOUCH_INTERVAL_MS,
    }
    entries.set(hash, entry)
    row.then(
      (row) => {
        if (row) {
          entry.key = row
          return touch(row, entry, nowMs)
        }
        entries.delete(hash)
        unknown.add(hash, nowMs)
      },
      () => entries.delete(hash),
    )
    return row
  }

  return {
    peek: (hash) => keyOf(entries.get(hash), clock.elapsedMs()),
    lookup,
    clear: () => {
      entries.clear()
      unknown.clear()
    },
  }
}

function keyOf(entry: CacheEntry | undefined, nowMs: number): KeyRow | undefined {
  return entry && entry.expiresMs > nowMs ? entry.key : undefined
}

/** Whether the use of a key is to be noted; from then on it counts as noted. */
function isTouched({ should_touch }: KeyRow, entry: CacheEntry, nowMs: number): boolean {
  if (!should_touch || nowMs - entry.touchedMs < TOUCH_INTERVAL_MS) return false
  entry.touchedMs = nowMs
  return true
}

type UnknownKeys = Readonly<{
  has: (hash: string, nowMs: number) => boolean
  add: (hash: string, nowMs: number) => void
  clear: () => void
}>

/** Hashes that are no key's, for a while. They are kept apart, so that a flood of them drops no known key. */
function createUnknownKeys(ttlMs: number): UnknownKeys {
  const untilMs = new Map<string, number>()
  return {
    has: (hash, nowMs) => (untilMs.get(hash) ?? 0) > nowMs,
    add: (hash, nowMs) => {
      if (untilMs.size >= KEYS_MAX) untilMs.clear()
      untilMs.set(hash, nowMs + ttlMs)
    },
    clear: () => untilMs.clear(),
  }
}

/** Returns what runs at most `countMax` pieces of work at once; others wait for their turn. */
function createLimit(countMax: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (running >= countMax) await new Promise<void>((resolve) => void waiting.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
