/** The health routes (tappass.md §1.5), and the metrics. */
import type { FastifyInstance } from 'fastify'
import { countActiveAgents } from '../access/agent-store.ts'
import type { Authenticator } from '../access/authenticator.ts'
import type { Clock, Database } from '../core/ports.ts'
import { principalOf } from '../http/access-result.ts'
import type { About } from '../observability/about.ts'
import type { Readiness } from '../observability/readiness.ts'

/** What the routes need. */
export type HealthRoutes = Readonly<{
  authenticator: Authenticator
  database: Database
  readiness: Readiness
  about: About
  metrics: Readonly<{ render: (activeAgents: number) => Promise<string>; contentType: string }>
  clock: Clock
}>

/** Adds the routes. */
export function healthRoutes(server: FastifyInstance, routes: HealthRoutes): void {
  const { authenticator, database, readiness, about, metrics, clock } = routes
  const { version, storage, license } = about

  server.get('/health', async (_request, reply) => {
    const { isReady } = await readiness.check()
    return reply
      .code(isReady ? 200 : 503)
      .send({ status: isReady ? 'healthy' : 'unhealthy', version, storage, license })
  })
  server.get('/health/live', async () => ({ status: 'ok' }))
  server.get('/health/ready', async (_request, reply) => {
    const { isReady, checks } = await readiness.check()
    const statuses = Object.fromEntries(Object.entries(checks).map(([name, { status }]) => [name, status]))
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? 'ok' : 'unavailable', checks: statuses })
  })
  server.get('/health/startup', async (_request, reply) => {
    const hasStarted = readiness.hasStarted()
    return reply.code(hasStarted ? 200 : 503).send({ status: hasStarted ? 'ok' : 'starting' })
  })
  server.get('/health/detailed', async (request, reply) => {
    await principalOf(authenticator, request.headers, 'AUDITOR')
    const { isReady, checks } = await readiness.check()
    const { rss, heapUsed } = process.memoryUsage()
    return reply.code(isReady ? 200 : 503).send({
      status: isReady ? 'healthy' : 'unhealthy',
      ...about,
      checks,
      process: {
        pid: process.pid,
        node: process.version,
        uptime_seconds: Math.round((clock.nowMs() - about.startedAtMs) / 1000),
        rss,
        heap_used: heapUsed,
      },
    })
  })
  server.get('/metrics', async (request, reply) => {
    await principalOf(authenticator, request.headers, 'AUDITOR')
    return reply.type(metrics.contentType).send(await metrics.render(await countActiveAgents(database)))
  })
}
