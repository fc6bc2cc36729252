/** Queries the ledger: newest entries first, filtered. */
import type { Database } from '../core/ports.ts'

/** The filters; absent members don't filter. The route bounds `limit`. */
export type AuditQuery = Readonly<{
  limit: number
  event_type?: string | undefined
  event_kind?: string | undefined
  decision?: string | undefined
  agent_id?: string | undefined
  session_id?: string | undefined
  request_id?: string | undefined
  step_name?: string | undefined
}>

/** The columns that can be filtered by. Column names come from here and from nowhere else. */
const FILTERS = ['event_type', 'event_kind', 'decision', 'agent_id', 'session_id', 'request_id', 'step_name'] as const

/**
 * An entry as the API shows it: the columns, the details of the hashed text, and names of earlier versions of the
 * API.
 */
export type AuditEvent = Readonly<Record<string, unknown>>

/** Returns the newest entries that match. */
export async function readAudit(database: Database, query: AuditQuery): Promise<readonly AuditEvent[]> {
  const filters = FILTERS.filter((name) => query[name] !== undefined)
  const where = filters.map((name, index) => `${name} = $${index + 2}`).join(' AND ')
  const rows = await database.query<Readonly<{ entry: string; hash: string }>>(
    `SELECT entry, hash FROM audit_events ${where && `WHERE ${where}`} ORDER BY ts DESC, chain DESC, seq DESC LIMIT $1`,
    [query.limit, ...filters.map((name) => query[name])],
  )
  return rows.map(({ entry, hash }) => {
    const event = JSON.parse(entry) as Readonly<Record<string, unknown>>
    return { ...event, timestamp: event['ts'], hash }
  })
}
