/** The composition root: opens what a gateway needs and wires it together. Short enough to be the diagram. */
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createAuthenticator } from './access/authenticator.ts'
import { createEcho } from './adapters/echo.ts'
import { createMemoryLimiter } from './adapters/memory-limiter.ts'
import { createWasmPolicy } from './adapters/opa-wasm.ts'
import { createOpenai } from './adapters/openai/openai.ts'
import { createPrometheus } from './adapters/prometheus.ts'
import { createRedisLimiter } from './adapters/redis.ts'
import { loadSteps } from './adapters/step-folder.ts'
import type { Config } from './config/config.ts'
import type { Clock, Database, Ledger, Random, Upstream } from './core/ports.ts'
import { ulid } from './core/ulid.ts'
import { createHttpServer } from './http/http-server.ts'
import { createLedger } from './ledger/ledger.ts'
import { describeGateway } from './observability/about.ts'
import { createReadiness, probePolicy, type Readiness } from './observability/readiness.ts'
import { createFindingCache } from './pipeline/finding-cache.ts'
import type { Gateway } from './pipeline/judge.ts'
import { policyDocument, readPolicy } from './policy/policy-document.ts'
import { agentRoutes } from './routes/agents.ts'
import { auditRoutes } from './routes/audit.ts'
import { governedRoutes } from './routes/governed.ts'
import { healthRoutes } from './routes/health.ts'
import { openapiRoutes } from './routes/openapi.ts'
import { wellKnownRoutes } from './routes/well-known.ts'
import { openRules } from './rules/rule-book.ts'

/** A gateway that does not listen yet. `close` closes everything but the database, which the process owns. */
export type App = Readonly<{
  server: FastifyInstance
  readiness: Readiness
  ledger: Ledger
  close: () => Promise<void>
}>

/** What the process provides. */
export type AppDependencies = Readonly<{ database: Database; clock: Clock; random: Random; isDraining: () => boolean }>

/** Creates a gateway; `stepFolders` hold steps beside the built-in ones. Throws when the policy, the steps or the ledger can't be opened. */
export async function createApp(config: Config, dependencies: AppDependencies, ...stepFolders: string[]): Promise<App> {
  const { database, clock, random, isDraining } = dependencies
  const meter = createPrometheus()
  const { engine, families } = openRules()
  const { steps, registry } = await loadSteps([join(import.meta.dirname, 'steps'), ...stepFolders], engine, families)
  const policy = await createWasmPolicy(readPolicy(), policyDocument(registry))
  const ledger = createLedger(database, config.instance, clock, random)
  await ledger.open()
  const server = createHttpServer({
    bodyBytesMax: config.limits.bodyBytesMax,
    newId: () => `req_${ulid(clock, random)}`,
    isDraining,
    count: meter.countHttp,
    logLevel: config.logLevel,
  })
  const limiter = config.redisUrl
    ? createRedisLimiter(config.redisUrl, (err) => server.log.warn({ err }, 'redis'))
    : createMemoryLimiter()
  const echo = createEcho(clock)
  const openai = config.upstream && createOpenai(config.upstream.url, config.upstream.key)
  const fallback = openai ?? (config.environment === 'development' ? echo : undefined)
  const upstreamOf = (model: string): Upstream | undefined => (model === 'echo' ? echo : fallback)
  const vaultKey = config.secrets.TAPPASS_VAULT_KEY
  const gateway: Gateway = {
    steps,
    registry,
    limits: config.limits,
    findingCache: createFindingCache(),
    commitmentKey: vaultKey === undefined ? random.bytes(32) : Buffer.from(vaultKey, 'base64'),
    ports: { limiter, policy, ledger, upstreamOf, meter, clock, random },
  }
  const authenticator = createAuthenticator(database, config.secrets.TAPPASS_ADMIN_API_KEY, clock, (err) =>
    server.log.warn({ err }, 'last_used_at of a key was not updated'),
  )
  const readiness = createReadiness(
    { database: () => database.query('SELECT 1'), opa: () => probePolicy(policy), redis: limiter.ping },
    clock.elapsedMs,
  )
  const about = describeGateway(config, steps, gateway.ports)
  governedRoutes(server, authenticator, gateway)
  agentRoutes(server, { authenticator, database, ledger, clock, random })
  auditRoutes(server, authenticator, database)
  healthRoutes(server, { authenticator, database, readiness, about, metrics: meter, clock })
  wellKnownRoutes(server, config.secrets.TAPPASS_TOKEN_KEY)
  openapiRoutes(server, about.version)
  await server.ready()
  const close = (): Promise<void> => ledger.close().finally(() => Promise.all([limiter.close(), openai?.close()]))
  return { server, readiness, ledger, close }
}
