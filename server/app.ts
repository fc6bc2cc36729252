/** The composition root: opens what a gateway needs and wires it together. Short enough to be the diagram. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
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
import { registerRoutes } from './route-table.ts'

const HERE = import.meta.dirname

/** A gateway that does not listen yet. `close` closes everything but the database, which the process owns. */
export type App = Readonly<{
  server: FastifyInstance
  readiness: Readiness
  ledger: Ledger
  close: () => Promise<void>
}>

/** What the process provides. */
export type AppDependencies = Readonly<{
  database: Database
  clock: Clock
  random: Random
  log: FastifyBaseLogger
  isDraining: () => boolean
}>

/** Creates a gateway. Throws when the policy, the steps or the ledger can't be opened. */
export async function createApp(config: Config, dependencies: AppDependencies): Promise<App> {
  const { database, clock, random, log, isDraining } = dependencies
  const meter = createPrometheus()
  const policy = await createWasmPolicy(readFileSync(join(HERE, 'policy/policy.wasm')))
  const steps = await loadSteps(join(HERE, 'steps'))
  const ledger = createLedger(database, config.instance, clock, random)
  await ledger.open()
  const server = createHttpServer({
    bodyBytesMax: config.limits.bodyBytesMax,
    newId: () => `req_${ulid(clock, random)}`,
    isDraining,
    count: meter.countHttp,
    log,
  })
  const limiter = config.redisUrl
    ? createRedisLimiter(config.redisUrl, (err) => log.warn({ err }, 'redis'))
    : createMemoryLimiter()
  const echo = createEcho(clock)
  const openai = config.upstream && createOpenai(config.upstream.url, config.upstream.key)
  const fallback = openai ?? (config.environment === 'development' ? echo : undefined)
  const upstreamOf = (model: string): Upstream | undefined => (model === 'echo' ? echo : fallback)
  const vaultKey = config.secrets.TAPPASS_VAULT_KEY
  const gateway: Gateway = {
    steps,
    limits: config.limits,
    findingCache: createFindingCache(),
    commitmentKey: vaultKey === undefined ? random.bytes(32) : Buffer.from(vaultKey, 'base64'),
    ports: { limiter, policy, ledger, upstreamOf, meter, clock, random },
  }
  const authenticator = createAuthenticator(database, config.secrets.TAPPASS_ADMIN_API_KEY, clock, (err) =>
    log.warn({ err }, 'last_used_at of a key was not updated'),
  )
  const readiness = createReadiness(
    { database: () => database.query('SELECT 1'), opa: () => probePolicy(policy), redis: limiter.ping },
    clock.elapsedMs,
  )
  const about = describeGateway(config, steps, gateway.ports)
  const tokenKey = config.secrets.TAPPASS_TOKEN_KEY
  await registerRoutes(server, { authenticator, gateway, database, readiness, about, metrics: meter, tokenKey })
  await server.ready()
  const close = (): Promise<void> => ledger.close().finally(() => Promise.all([limiter.close(), openai?.close()]))
  return { server, readiness, ledger, close }
}
