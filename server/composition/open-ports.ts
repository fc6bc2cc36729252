/** Opens the ports: the policy, the ledger, the limiter, the model servers. */
import { createEcho } from '../adapters/echo.ts'
import { createMemoryLimiter } from '../adapters/memory-limiter.ts'
import { createWasmPolicy } from '../adapters/opa-wasm.ts'
import { createOpenai } from '../adapters/openai/openai.ts'
import { createRedisLimiter } from '../adapters/redis.ts'
import type { Config } from '../config/config.ts'
import type { FamilyRegistry } from '../core/finding-family.ts'
import type { Clock, Database, Meter, ModelRoute, Ports, Random } from '../core/ports.ts'
import { createLedger } from '../ledger/ledger.ts'
import { createSessionTaints } from '../ledger/session-taints.ts'
import { policyDocument, readPolicy } from '../policy/policy-document.ts'

/** What the process provides. */
export type ProcessPorts = Readonly<{ database: Database; clock: Clock; random: Random }>

/** The ports of a gateway. `close` closes them, but not what the process provides. */
export type OpenPorts = Readonly<{ ports: Ports; close: () => Promise<void> }>

/**
 * Opens the ports; the policy decides by the registry's families. Throws when the policy or the ledger can't be opened.
 * `onConnectionLost` is called when the limiter's connection is lost, `onLost` when entries of grouped mode were not written.
 */
export async function openPorts(
  config: Config,
  { database, clock, random }: ProcessPorts,
  registry: FamilyRegistry,
  meter: Meter,
  onConnectionLost: (cause: Error) => void,
  onLost: (entries: number, cause: unknown) => void,
): Promise<OpenPorts> {
  const policy = await createWasmPolicy(readPolicy(), policyDocument(registry, config.taint.tools))
  const ledger = createLedger({ database, instance: config.instance, clock, random, mode: config.ledger.mode, onLost })
  await ledger.open()
  const taints = createSessionTaints(database, clock, config.taint.lastingMs)
  const limiter = config.redisUrl ? createRedisLimiter(config.redisUrl, onConnectionLost) : createMemoryLimiter()
  const routes = modelRoutes(config, clock)
  const close = async (): Promise<void> => {
    const upstreams = new Set(routes.map(({ upstream }) => upstream))
    await ledger.close().finally(() => Promise.all([limiter, ...upstreams].map((port) => port.close())))
  }
  return { ports: { limiter, policy, ledger, taints, routes, meter, clock, random }, close }
}

/** Which models go where. Without a model server the echo answers for every model, but in development only. */
function modelRoutes({ upstream, environment }: Config, clock: Clock): readonly ModelRoute[] {
  const echo = createEcho(clock)
  const echoRoute = { models: /^echo$/, upstream: echo }
  if (upstream) return [echoRoute, { models: /^/, upstream: createOpenai(upstream.url, upstream.key, upstream.proxy) }]
  return environment === 'development' ? [echoRoute, { models: /^/, upstream: echo }] : [echoRoute]
}
