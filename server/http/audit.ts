/** The routes of the ledger: read it, and have it recomputed. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { readAudit } from '../core/audit.ts'
import type { Door } from '../core/door.ts'
import { PublicError } from '../core/errors.ts'
import { verifyLedger } from '../core/integrity.ts'
import type { Database } from '../core/ports.ts'

const word = v.optional(v.pipe(v.string(), v.maxLength(200)))

const QUERY = v.object({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.minValue(1), v.maxValue(5000)),
    '100',
  ),
  event_type: word,
  event_kind: word,
  decision: word,
  agent_id: word,
  session_id: word,
  request_id: word,
  step_name: word,
})

/** Adds the routes, for auditors and above. */
export function auditRoutes(server: FastifyInstance, door: Door, database: Database): void {
  server.get('/audit', async (request) => {
    await door.admit(request.headers, 'AUDITOR')
    const query = v.safeParse(QUERY, request.query)
    if (!query.success) {
      const fields = query.issues.map((issue) => v.getDotPath(issue)).join(', ')
      throw new PublicError('request.invalid', { message: `Not valid in the query: ${fields}. limit is 1 to 5000.` })
    }
    return { data: await readAudit(database, query.output) }
  })
  server.get('/audit/integrity', async (request) => {
    await door.admit(request.headers, 'AUDITOR')
    return verifyLedger(database)
  })
}
