/** Opens the ports: the policy, the ledger, the limiter, the model servers. */
import { credentialId } from '../../contract/secret.ts'
import { createEcho } from '../adapters/echo.ts'
import { createMemoryLimiter } from '../adapters/memory-limiter.ts'
import { createOpaPolicy } from '../adapters/opa-server.ts'
import { createWasmPolicy } from '../adapters/opa-wasm.ts'
import { createOpenai } from '../adapters/openai/openai.ts'
import { createRedisLimiter } from '../adapters/redis.ts'
import { createReservedLimiter } from '../adapters/reserved-limiter.ts'
import type { Config } from '../config/config.ts'
import { policyRevision } from '../core/decision.ts'
import type { FamilyRegistry } from '../core/finding-family.ts'
import { secretFingerprint, sha256 } from '../core/hash.ts'
import type { Clock, Database, Meter, ModelRoute, PolicyEngine, Ports, Random, RateLimiter } from '../core/ports.ts'
import type { Tracer } from '../core/trace.ts'
import { createLedger } from '../ledger/ledger.ts'
import { createSessionTaints } from '../ledger/session-taints.ts'
import { releaseVersion } from '../observability/about.ts'
import { policyDocument, readModuleDigests, readPolicy } from '../policy/policy-document.ts'

/** What the process provides. `probeDatabase` rejects while the database does not answer, where `database` waits for it. */
export type ProcessPorts = Readonly<{
  database: Database
  clock: Clock
  random: Random
  probeDatabase?: () => Promise<unknown>
}>

/** What ports tell while they work. */
export type PortEvents = Readonly<{
  connectionLost: (cause: Error) => void
  lost: (entries: number, cause: unknown) => void
  policyFault: (cause: Error) => void
  spans: (count: number, outcome: string) => void
  traceFault: (cause: Error) => void
}>

/** The ports of a gateway. `close` closes them, but not what the process provides. */
export type OpenPorts = Readonly<{ ports: Ports; close: () => Promise<void> }>

/**
 * Opens the ports; the policy decides by the registry's families. Throws when the policy or the ledger can't be opened.
 * `on.connectionLost` is called when the limiter's connection is lost, `on.lost` when entries of grouped mode were not written, `on.policyFault` when something else is
 * wrong with the policy engine than before, `on.spans` with what became of spans, `on.traceFault` when the collector stops taking them.
 */
export async function openPorts(
  config: Config,
  { database, clock, random }: ProcessPorts,
  registry: FamilyRegistry,
  meter: Meter,
  on: PortEvents,
): Promise<OpenPorts> {
  const policy = await openPolicy(config, registry, clock, on.policyFault)
  const { instance, ledger: settings } = config
  const vaultKey = vaultKeyFingerprint(config.secrets.TAPPASS_VAULT_KEY)
  const ledger = createLedger({ database, instance, vaultKey, clock, random, mode: settings.mode, onLost: on.lost })
  await ledger.open()
  const taints = createSessionTaints(database, clock, config.taint.lastingMs)
  const limiter = openLimiter(config, clock, on.connectionLost)
  const routes = modelRoutes(config, clock)
  const tracer = await openTracer(config, clock, on)
  const close = async (): Promise<void> => {
    const upstreams = new Set(routes.map(({ upstream }) => upstream))
    await ledger
      .close()
      .finally(() => Promise.all([limiter, ...upstreams, policy, tracer].map((port) => port?.close?.())))
  }
  return { ports: { limiter, policy, ledger, taints, routes, meter, tracer, clock, random }, close }
}

/** The same as in the manifest of a backup that was taken with the key. */
function vaultKeyFingerprint(key: string | undefined): string | undefined {
  return key === undefined ? undefined : secretFingerprint(key, credentialId('TAPPASS_VAULT_KEY'), key)
}

/** Where the database is on this machine its disk has a reserve, which calls don't take. */
function openLimiter(
  { redisUrl, redisAuthority, environment, database, ledger }: Config,
  clock: Clock,
  onLost: PortEvents['connectionLost'],
): RateLimiter {
  const limiter = redisUrl ? createRedisLimiter(redisUrl, onLost, redisAuthority) : createMemoryLimiter()
  const isHere = database.kind === 'postgres' && database.address.host.startsWith('/')
  const { checkpointFolder } = ledger
  if (environment !== 'production' || !isHere || checkpointFolder === undefined) return limiter
  return createReservedLimiter(limiter, checkpointFolder, clock)
}

/** The engine that the settings name. Either one decides by the registry's families and the tools of the settings. */
async function openPolicy(
  { policy, taint }: Config,
  registry: FamilyRegistry,
  clock: Clock,
  onFault: PortEvents['policyFault'],
): Promise<PolicyEngine> {
  const [wasm, document] = [readPolicy(), policyDocument(registry, taint.tools)]
  if (policy.engine === 'embedded') return createWasmPolicy(wasm, document)
  const revision = policyRevision(sha256(wasm), document)
  return createOpaPolicy({ url: policy.url, revision, digests: readModuleDigests(), document, clock, onFault })
}

/** Records traces where a setting says where they go: without it nothing of OpenTelemetry is loaded. */
async function openTracer({ traces, instance }: Config, clock: Clock, on: PortEvents): Promise<Tracer | undefined> {
  if (traces === undefined) return undefined
  const { createOtlpTracer } = await import('../adapters/otlp/tracer.ts')
  const events = { spans: on.spans, fault: on.traceFault }
  return createOtlpTracer({ ...traces, instance, version: releaseVersion() }, clock, events)
}

/** Which models go where. Without a model server the echo answers for every model, but in development only. */
function modelRoutes({ upstream, environment }: Config, clock: Clock): readonly ModelRoute[] {
  const echo = createEcho(clock)
  const echoRoute = { models: /^echo$/, upstream: echo }
  if (upstream) return [echoRoute, { models: /^/, upstream: createOpenai(upstream.url, upstream.key, upstream.proxy) }]
  return environment === 'development' ? [echoRoute, { models: /^/, upstream: echo }] : [echoRoute]
}
