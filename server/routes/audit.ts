/** The routes of the ledger: query it, and verify it. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import type { Database } from '../core/ports.ts'
import type { ValibotTypeProvider } from '../http/validation.ts'
import { readAudit } from '../ledger/audit-query.ts'
import { verifyLedger } from '../ledger/verification.ts'

/** PostgreSQL rejects U+0000 in text. */
const OPTIONAL_FILTER = v.optional(v.pipe(v.string(), v.maxLength(200), v.excludes('\0')))

const QUERY = v.pipe(
  v.object({
    limit: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\d{1,5}$/),
        v.transform(Number),
        v.number(),
        v.integer(),
        v.minValue(1),
        v.maxValue(5000),
      ),
      '100',
    ),
    event_type: OPTIONAL_FILTER,
    event_kind: OPTIONAL_FILTER,
    decision: OPTIONAL_FILTER,
    agent_id: OPTIONAL_FILTER,
    session_id: OPTIONAL_FILTER,
    request_id: OPTIONAL_FILTER,
    step_name: OPTIONAL_FILTER,
  }),
  v.description('limit is 1 to 5000; each filter is given once, in up to 200 characters without U+0000.'),
)

const TEXT_OR_NULL = v.nullable(v.string())

const EVENT = v.object({
  audit_id: v.string(),
  ts: v.pipe(v.string(), v.isoTimestamp()),
  timestamp: v.pipe(v.string(), v.isoTimestamp(), v.description('The same as ts')),
  event_kind: v.string(),
  event_type: v.string(),
  severity: v.string(),
  decision: TEXT_OR_NULL,
  decision_id: TEXT_OR_NULL,
  step_name: TEXT_OR_NULL,
  org_id: TEXT_OR_NULL,
  agent_id: TEXT_OR_NULL,
  session_id: TEXT_OR_NULL,
  request_id: TEXT_OR_NULL,
  model: TEXT_OR_NULL,
  classification: TEXT_OR_NULL,
  policy: TEXT_OR_NULL,
  details: v.record(v.string(), v.unknown()),
  chain: v.string(),
  seq: v.number(),
  prev_hash: TEXT_OR_NULL,
  hash: v.string(),
})

const SIZE = { chains: v.number(), entries: v.number() }
const INTEGRITY = v.pipe(
  v.variant('status', [
    v.object({ status: v.literal('intact'), ...SIZE }),
    v.object({ status: v.literal('broken'), ...SIZE, chain: v.string(), seq: v.number(), reason: v.string() }),
  ]),
  v.description('Whether the ledger is intact'),
)

/** Adds the routes, for auditors and above. */
export function auditRoutes(server: FastifyInstance, database: Database): void {
  const routes = server.withTypeProvider<ValibotTypeProvider>()
  const config = { leastRole: 'AUDITOR', errors: [] } as const
  routes.get(
    '/audit',
    {
      schema: {
        summary: 'The entries of the ledger, newest first',
        description:
          '`{data: […]}`; `limit` (1 to 5000, default 100), `event_type`, `event_kind`, `decision`, `agent_id`, `session_id`, `request_id`, `step_name` narrow it',
        tags: ['Ledger'],
        querystring: QUERY,
        response: { 200: v.pipe(v.object({ data: v.array(EVENT) }), v.description('The entries')) },
      },
      config,
    },
    async ({ query }) => ({ data: await readAudit(database, query) }),
  )
  routes.get(
    '/audit/integrity',
    {
      schema: {
        summary: 'Recomputes the whole ledger',
        description:
          '`{status: "intact", chains, entries}`, or `status: "broken"` with the first entry that does not hold (`chain`, `seq`, `reason`)',
        tags: ['Ledger'],
        response: { 200: INTEGRITY },
      },
      config,
    },
    () => verifyLedger(database),
  )
}
