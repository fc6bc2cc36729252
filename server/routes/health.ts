/** The health routes (tappass.md §1.5), and the metrics. */
import type { FastifyInstance } from 'fastify'
import * as v from 'valibot'
import { countActiveAgents } from '../access/agent-store.ts'
import type { Clock, Database } from '../core/ports.ts'
import { type About, licenseStatusAt } from '../observability/about.ts'
import { contentTypeOf, type Form, formFor } from '../observability/exposition.ts'
import type { Readiness } from '../observability/readiness.ts'

/** What the routes need. */
export type HealthRoutes = Readonly<{
  database: Database
  readiness: Readiness
  about: About
  /** Gives the text of all metrics. */
  metrics: (form: Form) => Promise<string>
  clock: Clock
  /** The state of SPIFFE identities, which the gateway shows as it is; undefined where none are accepted. */
  spiffe: (() => v.InferOutput<typeof SPIFFE>) | undefined
}>

/** A response with a status as a word: `good` with 200, `bad` with 503. */
const answers = (good: string, bad: string, entries: v.ObjectEntries = {}) => ({
  200: v.pipe(v.object({ status: v.literal(good), ...entries }), v.description(good)),
  503: v.pipe(v.object({ status: v.literal(bad), ...entries }), v.description(bad)),
})

const ABOUT = {
  version: v.string(),
  storage: v.string(),
  license: v.object({ org: v.nullable(v.string()), tier: v.string(), expires: v.nullable(v.string()) }),
}
/** What TapPass's SDK reads beside that. */
const FOR_SDK = {
  agents: v.pipe(v.number(), v.description('Active agents; 0 while it is not healthy')),
  uptime_seconds: v.number(),
}
const STATUS = v.picklist(['ok', 'degraded', 'failed'])
const CHECK = v.object({ status: STATUS, ms: v.number(), error: v.optional(v.string()) })
const SPIFFE = v.object({
  trust_domain: v.string(),
  spiffe_id: v.nullable(v.string()),
  expires_at: v.nullable(v.string()),
  expires_in_seconds: v.nullable(v.number()),
  bundle_age_seconds: v.nullable(v.number()),
  jwt_svids: v.boolean(),
  problems: v.array(v.string()),
})
const PROCESS = v.object({
  pid: v.number(),
  node: v.string(),
  uptime_seconds: v.number(),
  rss: v.number(),
  heap_used: v.number(),
})
const DETAILS = {
  ...ABOUT,
  licenseStatus: v.string(),
  instance: v.string(),
  revision: v.string(),
  environment: v.string(),
  limiter: v.string(),
  policy: v.string(),
  policyEngine: v.string(),
  steps: v.array(v.object({ name: v.string(), position: v.number(), stages: v.array(v.string()) })),
  startedAtMs: v.number(),
  checks: v.record(v.string(), CHECK),
  spiffe: v.nullable(SPIFFE),
  process: PROCESS,
}

const OPEN = { leastRole: 'open', errors: [] } as const
const AUDITED = { leastRole: 'AUDITOR', errors: [] } as const

const HEALTH = {
  schema: {
    summary: 'Whether it can serve, with version and storage',
    description:
      '200 `{status: "healthy", version, storage, license, agents, uptime_seconds}`; 503 `unhealthy` when it can\'t serve',
    tags: ['Health'],
    response: answers('healthy', 'unhealthy', { ...ABOUT, ...FOR_SDK }),
  },
  config: OPEN,
}

const LIVE = {
  schema: {
    summary: 'Whether the process runs',
    description: '200 while it does; asks nothing',
    tags: ['Health'],
    response: { 200: v.pipe(v.object({ status: v.literal('ok') }), v.description('ok')) },
  },
  config: OPEN,
}

const READY = {
  schema: {
    summary: 'Whether it can serve, by part',
    description:
      '200 `{status: "ok", checks: {database, opa, redis}}`, and `spiffe` where SVIDs are accepted; 503 when one is `failed`, and while the process starts or stops',
    tags: ['Health'],
    response: answers('ok', 'unavailable', { checks: v.record(v.string(), STATUS) }),
  },
  config: OPEN,
}

const STARTUP = {
  schema: {
    summary: 'Whether it has begun to serve',
    description: '503 until the gateway has',
    tags: ['Health'],
    response: answers('ok', 'starting'),
  },
  config: OPEN,
}

const DETAILED = {
  schema: {
    summary: 'Everything about the process that is no secret',
    description: 'All of the above, with times, settings, steps, policy revision, memory',
    tags: ['Health'],
    response: answers('healthy', 'unhealthy', DETAILS),
  },
  config: AUDITED,
}

const METRICS_TYPES = {
  'text/plain': { schema: v.string() },
  'application/openmetrics-text': { schema: v.string() },
}

const METRICS = {
  schema: {
    summary: 'Figures for Prometheus',
    description: 'Prometheus text, or OpenMetrics for who asks for it with `accept`',
    tags: ['Health'],
    response: { 200: { description: 'Text', content: METRICS_TYPES } },
  },
  config: AUDITED,
}

/** Adds the routes. */
export function healthRoutes(server: FastifyInstance, routes: HealthRoutes): void {
  const { database, readiness, about, metrics, clock, spiffe } = routes
  const { version, storage, license } = about
  const uptimeSeconds = (): number => Math.round((clock.nowMs() - about.startedAtMs) / 1000)

  server.get('/health', HEALTH, async (_request, reply) => {
    const { isReady } = await readiness.check()
    const status = isReady ? 'healthy' : 'unhealthy'
    const agents = isReady ? await countActiveAgents(database) : 0
    return reply
      .code(isReady ? 200 : 503)
      .send({ status, version, storage, license, agents, uptime_seconds: uptimeSeconds() })
  })
  server.get('/health/live', LIVE, async () => ({ status: 'ok' }))
  server.get('/health/ready', READY, async (_request, reply) => {
    const { isReady, checks } = await readiness.check()
    const statuses = Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, status]))
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable', checks: statuses })
  })
  server.get('/health/startup', STARTUP, async (_request, reply) => {
    const hasStarted = readiness.hasStarted()
    return reply.code(hasStarted ? 200 : 503).send({ status: hasStarted ? 'ok' : 'starting' })
  })
  server.get('/health/detailed', DETAILED, async (_request, reply) => {
    const { isReady, checks } = await readiness.check()
    const { rss, heapUsed } = process.memoryUsage()
    return reply.code(isReady ? 200 : 503).send({
      status: isReady ? 'healthy' : 'unhealthy',
      ...about,
      licenseStatus: licenseStatusAt(about, clock.nowMs()),
      checks,
      spiffe: spiffe?.() ?? null,
      process: {
        pid: process.pid,
        node: process.version,
        uptime_seconds: uptimeSeconds(),
        rss,
        heap_used: heapUsed,
      },
    })
  })
  server.get('/metrics', METRICS, async (request, reply) => {
    const form = formFor(request.headers.accept)
    // Several gateways share an address: who comes again is to meet another one, too.
    return reply
      .type(contentTypeOf(form))
      .header('connection', 'close')
      .send(await metrics(form))
  })
}
