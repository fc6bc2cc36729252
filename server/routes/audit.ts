/** The routes of the ledger: query it, verify it, and what proves a content. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { actorName } from '../access/agent-service.ts'
import type { Database } from '../core/ports.ts'
import { PublicError } from '../http/public-error.ts'
import type { ValibotTypeProvider } from '../http/validation.ts'
import { readAudit } from '../ledger/audit-query.ts'
import { readLatestCheckpoints } from '../ledger/checkpoint-table.ts'
import { eraseSalt, readSalt, type SaltErasure } from '../ledger/salt.ts'
import { type Evidence, verifyLedger } from '../ledger/verification.ts'

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

const SIZE = {
  chains: v.number(),
  entries: v.number(),
  signed: v.nullable(v.pipe(v.number(), v.description('Entries that signed checkpoints cover'))),
  unended: v.array(v.object({ chain: v.string(), seq: v.number() })),
}
const INTEGRITY = v.pipe(
  v.variant('status', [
    v.object({ status: v.literal('intact'), ...SIZE }),
    v.object({ status: v.literal('broken'), ...SIZE, chain: v.string(), seq: v.number(), reason: v.string() }),
  ]),
  v.description('Whether the ledger is intact'),
)

const IDENTIFIED = v.object({
  audit_id: v.pipe(v.string(), v.maxLength(64), v.excludes('\0'), v.description('audit_id of an entry')),
})
const SALT = v.object({ audit_id: v.string(), salt: v.string() })
const CHECKPOINTS = v.object({
  public_keys: v.array(v.pipe(v.string(), v.description('32 bytes in base64'))),
  data: v.array(v.object({ chain: v.string(), size: v.number(), note: v.string() })),
})

/** What the routes need. `evidence`: the keys of checkpoints, and those that are kept outside the database. */
export type AuditRoutes = SaltErasure & Readonly<{ database: Database; evidence: () => Promise<Evidence> }>

/** Adds the routes, for auditors and above. */
export function auditRoutes(server: FastifyInstance, dependencies: AuditRoutes): void {
  const { database, evidence } = dependencies
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
    async () => verifyLedger(database, await evidence()),
  )
  checkpointRoute(server, dependencies)
  saltRoutes(server, dependencies)
}

function checkpointRoute(server: FastifyInstance, { database, evidence }: AuditRoutes): void {
  server.withTypeProvider<ValibotTypeProvider>().get(
    '/audit/checkpoints',
    {
      schema: {
        summary: 'The newest signed checkpoint of each chain',
        description:
          'Signed notes (c2sp.org/tlog-checkpoint), to be kept elsewhere: `tappass audit verify --since` takes one',
        tags: ['Ledger'],
        response: { 200: v.pipe(CHECKPOINTS, v.description('The checkpoints, and the public keys that sign them')) },
      },
      config: { leastRole: 'AUDITOR', errors: [] },
    },
    async () => {
      const { publicKeys } = await evidence()
      const keys = publicKeys.map((key) => Buffer.from(key).toString('base64'))
      return { public_keys: keys, data: await readLatestCheckpoints(database) }
    },
  )
}

function saltRoutes(server: FastifyInstance, dependencies: AuditRoutes): void {
  const routes = server.withTypeProvider<ValibotTypeProvider>()
  routes.get(
    '/audit/:audit_id/salt',
    {
      schema: {
        summary: "The salt of an entry's commitments",
        description: 'Whoever has it can prove what the content was',
        tags: ['Ledger'],
        params: IDENTIFIED,
        response: { 200: v.pipe(SALT, v.description('The salt, 64 hex digits')) },
      },
      config: { leastRole: 'AUDITOR', errors: ['entry.unknown'] },
    },
    async ({ params: { audit_id } }) => {
      const salt = await readSalt(dependencies.database, audit_id)
      if (salt === undefined) throw new PublicError('entry.unknown')
      return { audit_id, salt }
    },
  )
  routes.delete(
    '/audit/:audit_id/salt',
    {
      schema: {
        summary: 'Makes the content of an entry unprovable for ever',
        description:
          'Erases the salt of its commitments, and records that. Answered with 204; the entry itself stays as it is',
        tags: ['Ledger'],
        params: IDENTIFIED,
        response: { 204: v.pipe(v.null(), v.description('Erased')) },
      },
      config: { leastRole: 'ADMIN', errors: ['entry.unknown', 'ledger.unavailable'] },
    },
    async (request, reply) => {
      const isErased = await eraseSalt(dependencies, request.params.audit_id, actorName(request), request.id)
      if (!isErased) throw new PublicError('entry.unknown')
      return reply.code(204).send()
    },
  )
}
