/** Registers all routes on the server, and creates what they need beside the gateway. */
import type { FastifyInstance } from 'fastify'
import { createAuthenticator } from '../access/authenticator.ts'
import type { Config } from '../config/config.ts'
import { valuesOf } from '../config/secret.ts'
import type { Database } from '../core/ports.ts'
import { describeRoutes } from '../http/openapi.ts'
import { holdToContract } from '../http/route-contract.ts'
import { describeGateway } from '../observability/about.ts'
import { createReadiness, probePolicy, type Readiness } from '../observability/readiness.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import { isPlainText } from '../pipeline/recordable-text.ts'
import { agentRoutes } from '../routes/agents.ts'
import { auditRoutes } from '../routes/audit.ts'
import { governedRoutes } from '../routes/governed.ts'
import { type HealthRoutes, healthRoutes } from '../routes/health.ts'
import { openapiRoutes } from '../routes/openapi.ts'
import { wellKnownRoutes } from '../routes/well-known.ts'
import { createEvidence } from './create-evidence.ts'

/** Registers the routes. Returns the readiness that the health routes show. Throws when a route lacks what it has to state. */
export async function registerRoutes(
  server: FastifyInstance,
  config: Config,
  database: Database,
  gateway: Gateway,
  metrics: HealthRoutes['metrics'],
): Promise<Readiness> {
  const { limiter, policy, ledger, clock, random } = gateway.ports
  const authenticator = createAuthenticator(database, valuesOf(config, 'TAPPASS_ADMIN_API_KEY'), clock, (err) =>
    server.log.warn({ err }, 'last_used_at of a key was not updated'),
  )
  const readiness = createReadiness(
    { database: () => database.query('SELECT 1'), opa: () => probePolicy(policy), redis: limiter.ping },
    clock.elapsedMs,
  )
  const about = describeGateway(config, gateway.steps, gateway.ports)
  holdToContract(server, authenticator)
  await describeRoutes(server, about.version)
  governedRoutes(server, gateway)
  agentRoutes(server, {
    ...{ authenticator, database, ledger, clock, random },
    isPlainText: (text) => isPlainText(gateway, text),
  })
  auditRoutes(server, { database, ledger, clock, random, evidence: createEvidence(config) })
  healthRoutes(server, { database, readiness, about, metrics, clock })
  wellKnownRoutes(server, valuesOf(config, 'TAPPASS_TOKEN_KEY'))
  openapiRoutes(server)
  return readiness
}
