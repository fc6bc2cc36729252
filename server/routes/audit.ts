/** The routes of the ledger: query it, and verify it. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import type { Authenticator } from '../access/authenticator.ts'
import type { Database } from '../core/ports.ts'
import { principalOf } from '../http/access-result.ts'
import { PublicError } from '../http/public-error.ts'
import { readAudit } from '../ledger/audit-query.ts'
import { verifyLedger } from '../ledger/verification.ts'

/** PostgreSQL rejects U+0000 in text. */
const OPTIONAL_FILTER = v.optional(v.pipe(v.string(), v.maxLength(200), v.excludes('\0')))

const QUERY = v.object({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/), v.transform(Number), v.minValue(1), v.maxValue(5000)),
    '100',
  ),
  event_type: OPTIONAL_FILTER,
  event_kind: OPTIONAL_FILTER,
  decision: OPTIONAL_FILTER,
  agent_id: OPTIONAL_FILTER,
  session_id: OPTIONAL_FILTER,
  request_id: OPTIONAL_FILTER,
  step_name: OPTIONAL_FILTER,
})

const QUERY_RULES = 'limit is 1 to 5000; each filter is given once, in up to 200 characters without U+0000.'

/** Adds the routes, for auditors and above. */
export function auditRoutes(server: FastifyInstance, authenticator: Authenticator, database: Database): void {
  server.get('/audit', async (request) => {
    await principalOf(authenticator, request.headers, 'AUDITOR')
    const query = v.safeParse(QUERY, request.query)
    if (!query.success) {
      const fields = query.issues.map((issue) => v.getDotPath(issue)).join(', ')
      throw new PublicError('request.invalid', { message: `Not valid in the query: ${fields}. ${QUERY_RULES}` })
    }
    return { data: await readAudit(database, query.output) }
  })
  server.get('/audit/integrity', async (request) => {
    await principalOf(authenticator, request.headers, 'AUDITOR')
    return verifyLedger(database)
  })
}
