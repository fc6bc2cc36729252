/** Keys as the database knows them: looked up, believed for a moment, and their use noted. */
import type { Clock, Database } from '../core/ports.ts'

/**
 * How long a key that was looked up is believed without looking again: so long can a key that was revoked through another
 * replica still open this one.
 */
export const KEY_BELIEVED_MS = 1000

/** Between two notes of a key's use, in the database (as an interval) and here, where one may be failing. */
const USE_NOTED = `interval '1 minute'`
const USE_NOTED_MS = 60_000

/** Keys remembered at once. */
const KEYS_MAX = 10_000

/** A key that was given out, and the agent that it is for. */
export type KnownKey = Readonly<{
  id: string
  kind: string
  role: string | null
  expires_at: Date | null
  revoked_at: Date | null
  agent_id: string | null
  agent_uuid: string | null
  org_id: string | null
  is_active: boolean | null
  /** Whether the key opens something, and its use is to be noted again. */
  is_use_news: boolean
}>

const IS_USE_OLD = `coalesce(last_used_at < now() - ${USE_NOTED}, true)`

const LOOK_UP = `SELECT k.id::text AS id, k.kind, k.role, k.expires_at, k.revoked_at, a.agent_id, a.agent_uuid,
    coalesce(a.org_id, k.org_id)::text AS org_id, a.is_active,
    k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true) AND ${IS_USE_OLD} AS is_use_news
  FROM api_keys k LEFT JOIN agents a ON a.id = k.agent_id WHERE k.key_hash = $1`

/** Another replica may have noted it meanwhile. */
const NOTE_USE = `UPDATE api_keys SET last_used_at = now() WHERE id = $1::uuid AND ${IS_USE_OLD}`

type Known = {
  readonly found: Promise<KnownKey | undefined>
  readonly untilMs: number
  /** What was found, once it was. */
  key?: KnownKey
  notedMs: number
}

/** Keys by the hashes of their texts. */
export type KnownKeys = Readonly<{
  /** Gives a key that was looked up a moment ago; undefined when it has to be looked up. */
  recall: (hash: string) => KnownKey | undefined
  /** Rejects when the database does. */
  look: (hash: string) => Promise<KnownKey | undefined>
  /** Forgets what is believed. */
  forget: () => void
}>

/** Makes the memory. A key's use is noted in the background; `report` hears when that fails, and nobody else does. */
export function makeKnownKeys(database: Database, clock: Clock, report: (cause: unknown) => void): KnownKeys {
  const known = new Map<string, Known>()

  function look(hash: string): Promise<KnownKey | undefined> {
    const nowMs = clock.nowMs()
    const before = known.get(hash)
    if (before && before.untilMs > nowMs) return before.found
    if (known.size >= KEYS_MAX) known.clear()
    const found = database.query<KnownKey>(LOOK_UP, [hash]).then(([row]) => row)
    const entry: Known = { found, untilMs: nowMs + KEY_BELIEVED_MS, notedMs: before?.notedMs ?? -USE_NOTED_MS }
    known.set(hash, entry)
    found.then(
      (row) => {
        if (!row) known.delete(hash)
        else {
          entry.key = row
          noteUse(row, entry, nowMs)
        }
      },
      () => known.delete(hash),
    )
    return found
  }

  function noteUse({ id, is_use_news }: KnownKey, entry: Known, nowMs: number): void {
    if (!is_use_news || nowMs - entry.notedMs < USE_NOTED_MS) return
    entry.notedMs = nowMs
    database.query(NOTE_USE, [id]).catch(report)
  }

  function recall(hash: string): KnownKey | undefined {
    const believed = known.get(hash)
    return believed && believed.untilMs > clock.nowMs() ? believed.key : undefined
  }

  return { recall, look, forget: () => known.clear() }
}
