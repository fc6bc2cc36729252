/** The composition root: opens what a gateway needs, puts it together, and gives the server. Short enough to be the diagram. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { makeDoor } from './access/authenticator.ts'
import { makeEcho } from './adapters/echo.ts'
import { makeMemoryLimiter } from './adapters/memory-limiter.ts'
import { makeWasmPolicy } from './adapters/opa-wasm.ts'
import { makeOpenai } from './adapters/openai/openai.ts'
import { makePrometheus } from './adapters/prometheus.ts'
import { makeRedisLimiter } from './adapters/redis.ts'
import { loadSteps } from './adapters/step-folder.ts'
import type { Config } from './config/config.ts'
import type { Clock, Database, Ledger, Random, Upstream } from './core/ports.ts'
import { ulid } from './core/ulid.ts'
import { agentRoutes } from './http/agents.ts'
import { auditRoutes } from './http/audit.ts'
import { makeFrame } from './http/frame.ts'
import { governedRoutes } from './http/governed.ts'
import { healthRoutes } from './http/health.ts'
import { openapiRoutes } from './http/openapi.ts'
import { wellKnownRoutes } from './http/well-known.ts'
import { makeLedger } from './ledger/ledger.ts'
import { describe } from './observability/about.ts'
import { makeReadiness, probePolicy, type Readiness } from './observability/readiness.ts'
import { makeKnownMessages } from './pipeline/finding-cache.ts'
import type { Gateway } from './pipeline/judge.ts'

const HERE = import.meta.dirname

/** A gateway that is put together and does not listen yet. `close` ends everything but the database, which was given. */
export type App = Readonly<{
  server: FastifyInstance
  readiness: Readiness
  ledger: Ledger
  close: () => Promise<void>
}>

/** What the process gives. */
export type Around = Readonly<{ database: Database; clock: Clock; random: Random; isDraining: () => boolean }>

/** Puts a gateway together. Throws when the policy, the steps or the ledger can't be opened. */
export async function createApp(config: Config, { database, clock, random, isDraining }: Around): Promise<App> {
  const meter = makePrometheus()
  const policy = await makeWasmPolicy(readFileSync(join(HERE, 'policy/policy.wasm')))
  const steps = await loadSteps(join(HERE, 'steps'))
  const ledger = makeLedger(database, config.instance, clock, random)
  await ledger.open()
  const server = makeFrame({
    bodyBytesMax: config.limits.bodyBytesMax,
    newId: () => `req_${ulid(clock, random)}`,
    isDraining,
    count: meter.countHttp,
    logLevel: config.logLevel,
  })
  const limiter = config.redisUrl
    ? makeRedisLimiter(config.redisUrl, (err) => server.log.warn({ err }, 'redis'))
    : makeMemoryLimiter()
  const echo = makeEcho(clock)
  const openai = config.upstream && makeOpenai(config.upstream.url, config.upstream.key)
  const fallback = openai ?? (config.environment === 'development' ? echo : undefined)
  const upstreamOf = (model: string): Upstream | undefined => (model === 'echo' ? echo : fallback)
  const vaultKey = config.secrets.TAPPASS_VAULT_KEY
  const gateway: Gateway = {
    steps,
    limits: config.limits,
    known: makeKnownMessages(),
    commitmentKey: vaultKey === undefined ? random.bytes(32) : Buffer.from(vaultKey, 'base64'),
    ports: { limiter, policy, ledger, upstreamOf, meter, clock, random },
  }
  const door = makeDoor(database, config.secrets.TAPPASS_ADMIN_API_KEY, clock, (err) =>
    server.log.warn({ err }, "a key's last use was not noted"),
  )
  const readiness = makeReadiness(
    { database: () => database.query('SELECT 1'), opa: () => probePolicy(policy), redis: limiter.ping },
    clock.elapsedMs,
  )
  const about = describe(config, steps, gateway.ports)
  governedRoutes(server, door, gateway)
  agentRoutes(server, { door, database, ledger, clock, random })
  auditRoutes(server, door, database)
  healthRoutes(server, { door, database, readiness, about, metrics: meter, clock })
  wellKnownRoutes(server, config.secrets.TAPPASS_TOKEN_KEY)
  openapiRoutes(server, about.version)
  await server.ready()
  const close = (): Promise<void> => ledger.close().finally(() => Promise.all([limiter.close(), openai?.close()]))
  return { server, readiness, ledger, close }
}
