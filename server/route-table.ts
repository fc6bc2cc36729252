/** All routes of the gateway, in the order in which they are registered. */
import type { FastifyInstance } from 'fastify'
import type { Authenticator } from './access/authenticator.ts'
import type { Database } from './core/ports.ts'
import type { About } from './observability/about.ts'
import type { Readiness } from './observability/readiness.ts'
import type { Gateway } from './pipeline/judge.ts'
import { agentRoutes } from './routes/agents.ts'
import { auditRoutes } from './routes/audit.ts'
import { governedRoutes } from './routes/governed.ts'
import { type HealthRoutes, healthRoutes } from './routes/health.ts'
import { openapiRoutes } from './routes/openapi.ts'
import { wellKnownRoutes } from './routes/well-known.ts'

/** What the routes need. `tokenKey` is the private key of our tokens in PEM, where there is one. */
export type RouteDependencies = Readonly<{
  authenticator: Authenticator
  gateway: Gateway
  database: Database
  readiness: Readiness
  about: About
  metrics: HealthRoutes['metrics']
  tokenKey: string | undefined
}>

/** Adds every route to the server. */
export function registerRoutes(server: FastifyInstance, dependencies: RouteDependencies): void {
  const { authenticator, gateway, database, readiness, about, metrics, tokenKey } = dependencies
  const { ledger, clock, random } = gateway.ports
  governedRoutes(server, authenticator, gateway)
  agentRoutes(server, { authenticator, database, ledger, clock, random })
  auditRoutes(server, authenticator, database)
  healthRoutes(server, { authenticator, database, readiness, about, metrics, clock })
  wellKnownRoutes(server, tokenKey)
  openapiRoutes(server, about.version)
}
