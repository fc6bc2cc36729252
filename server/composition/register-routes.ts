/** Registers all routes on the server, and creates what they need beside the gateway. */
import type { FastifyInstance } from 'fastify'
import { countActiveAgents } from '../access/agent-store.ts'
import { createAuthenticator } from '../access/authenticator.ts'
import { createSvidAuthenticator } from '../access/svid-authenticator.ts'
import { createSvidRefusalRecord } from '../access/svid-refusal.ts'
import { createSvidVerifier } from '../access/svid-verifier.ts'
import { readHostMetrics } from '../adapters/host-metrics.ts'
import type { Prometheus } from '../adapters/prometheus.ts'
import type { Config } from '../config/config.ts'
import { valuesOf } from '../config/secret.ts'
import { describeRoutes } from '../http/openapi.ts'
import type { ReplyWatch } from '../http/reply-watch.ts'
import { holdToContract } from '../http/route-contract.ts'
import { describeGateway, licenseEnd } from '../observability/about.ts'
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
import type { ProcessPorts } from './open-ports.ts'
import type { Svids } from './open-svids.ts'
import { readGauges } from './read-gauges.ts'

/** What routes show of metrics, and count. */
export type RoutesMeter = Readonly<{
  meter: Pick<Prometheus, 'render' | 'add' | 'gauge' | 'forget' | 'beforeReading'>
  replies: Pick<ReplyWatch, 'inFlight' | 'streamsOpen'>
}>

/** Registers the routes. Returns the readiness that the health routes show. Throws when a route lacks what it has to state. */
export async function registerRoutes(
  server: FastifyInstance,
  config: Config,
  { database, probeDatabase }: Pick<ProcessPorts, 'database' | 'probeDatabase'>,
  gateway: Gateway,
  { meter, replies }: RoutesMeter,
  svids?: Svids,
): Promise<Readiness> {
  const { limiter, policy, ledger, clock, random } = gateway.ports
  const onUnnoted = (err: unknown): void => server.log.warn({ err }, 'it was not noted when a credential was used')
  const svidAuthenticator =
    svids && createSvidAuthenticator(createSvidVerifier(svids.trust, clock), database, clock, onUnnoted)
  const adminKeys = valuesOf(config, 'TAPPASS_ADMIN_API_KEY')
  const authenticator = createAuthenticator(database, adminKeys, clock, onUnnoted, svidAuthenticator)
  const recordRefusal = createSvidRefusalRecord({
    ...{ ledger, clock, random },
    onRefused: ({ credential, reason }) => meter.add('tappass_svid_refusals_total', 1, credential, reason),
    onError: (err) => server.log.error({ err }, 'a refused SVID was not recorded'),
  })
  const readiness = createReadiness(
    {
      database: probeDatabase ?? (() => database.query('SELECT 1')),
      opa: () => probePolicy(policy),
      redis: limiter.ping,
    },
    clock.elapsedMs,
    svids && { spiffe: svids.problem },
  )
  const about = describeGateway(config, gateway.steps, gateway.ports)
  holdToContract(server, authenticator, recordRefusal)
  await describeRoutes(server, about.version)
  governedRoutes(server, gateway)
  agentRoutes(server, {
    ...{ authenticator, database, ledger, clock, random, trustDomain: svids?.trustDomain },
    isPlainText: (text) => isPlainText(gateway, text),
  })
  auditRoutes(server, { database, ledger, clock, random, evidence: createEvidence(config) })
  const countAgents = (): Promise<number> => countActiveAgents(database)
  const licenseEndMs = licenseEnd(about)
  readGauges(meter, { config, gateway, database, replies, readiness, about, clock, licenseEndMs, countAgents })
  const metrics = createMetricsText(config, meter)
  healthRoutes(server, { database, readiness, about, metrics, clock, spiffe: svids?.describe })
  wellKnownRoutes(server, valuesOf(config, 'TAPPASS_TOKEN_KEY'))
  openapiRoutes(server)
  return readiness
}

/** On a host its jobs have figures, too. */
function createMetricsText(
  { environment }: Pick<Config, 'environment'>,
  { render }: Pick<Prometheus, 'render'>,
): HealthRoutes['metrics'] {
  return async (form) => render(form, environment === 'production' ? await readHostMetrics() : [])
}
