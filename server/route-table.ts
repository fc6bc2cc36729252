/** All routes of the gateway, in the order in which they are registered. */
import type { FastifyInstance } from 'fastify'
import type { Authenticator } from './access/authenticator.ts'
import type { Database } from './core/ports.ts'
import { describeRoutes } from './http/openapi.ts'
import { holdToContract } from './http/route-contract.ts'
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

/** Adds every route to the server. Throws when one does not state what it has to. */
export async function registerRoutes(server: FastifyInstance, dependencies: RouteDependencies): Promise<void> {
  const { authenticator, gateway, database, readiness, about, metrics, tokenKey } = dependencies
  const { ledger, clock, random } = gateway.ports
  holdToContract(server, authenticator)
  await describeRoutes(server, about.version)
  governedRoutes(server, gateway)
  agentRoutes(server, { authenticator, database, ledger, clock, random })
  auditRoutes(server, database)
  healthRoutes(server, { database, readiness, about, metrics, clock })
  wellKnownRoutes(server, tokenKey)
  openapiRoutes(server)
}
