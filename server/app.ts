/**
 * The composition root: loads the steps with an engine, opens the ports, creates the gateway, registers the routes.
 * Short enough to be the diagram.
 */
import { join } from 'node:path'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { createPrometheus } from './adapters/prometheus.ts'
import { loadSteps } from './adapters/step-folder.ts'
import { createGateway, createTextCheck } from './composition/create-gateway.ts'
import { createSelf, type Self } from './composition/create-self.ts'
import { openPorts, type ProcessPorts } from './composition/open-ports.ts'
import { openSvids } from './composition/open-svids.ts'
import { createPortEvents } from './composition/port-events.ts'
import { pruneTaints } from './composition/prune-taints.ts'
import { registerRoutes } from './composition/register-routes.ts'
import { type SvidListener, serveSvids } from './composition/serve-svids.ts'
import { signCheckpoints } from './composition/sign-checkpoints.ts'
import type { Config } from './config/config.ts'
import type { Ledger } from './core/ports.ts'
import { ulid } from './core/ulid.ts'
import { createEngine } from './detection/engine.ts'
import { createHttpServer } from './http/http-server.ts'
import { createReplyWatch } from './http/reply-watch.ts'
import { createCallFigures } from './observability/call-figures.ts'
import type { ErrorTexts } from './observability/error-text.ts'
import type { Readiness } from './observability/readiness.ts'
import { RULE_FUNCTIONS } from './rules/check/rule-functions.ts'
import { readRuleBook } from './rules/rule-book.ts'

const BUILT_IN_STEPS = join(import.meta.dirname, 'steps')
/** Steps that a setting turns on. */
const OPTIONAL_STEPS = join(BUILT_IN_STEPS, 'optional')

/**
 * A gateway that does not listen yet; `svidListener` is for clients with an SVID, where they are accepted. `close` closes everything
 * but the database, which the process owns.
 */
export type App = Self &
  Readonly<{
    server: FastifyInstance
    svidListener: SvidListener | undefined
    readiness: Readiness
    ledger: Ledger
    close: () => Promise<unknown>
  }>

/** What the process provides. */
export type AppDependencies = ProcessPorts &
  Readonly<{ log: FastifyBaseLogger; errorTexts?: Pick<ErrorTexts, 'judgedBy'>; isDraining: () => boolean }>

/**
 * Creates a gateway; `stepFolders` hold steps beside the built-in ones. Throws when the policy, the steps or the ledger
 * can't be opened.
 */
export async function createApp(config: Config, dependencies: AppDependencies, ...stepFolders: string[]): Promise<App> {
  const { clock, random, log, isDraining } = dependencies
  const [meter, figures] = [createPrometheus(config.instance, clock.nowMs), createCallFigures()]
  const replies = createReplyWatch(figures.counting(meter.countHttp), clock)
  const { families, rules } = readRuleBook()
  const engine = createEngine(rules, RULE_FUNCTIONS)
  const folders = [BUILT_IN_STEPS, ...(config.hasNameDetector ? [OPTIONAL_STEPS] : []), ...stepFolders]
  const loaded = await loadSteps(folders, engine, families)
  dependencies.errorTexts?.judgedBy(createTextCheck(config, loaded, 'detect_secrets'))
  const newId = (): string => `req_${ulid(clock, random)}`
  const server = createHttpServer({
    bodyBytesMax: config.limits.bodyBytesMax,
    corsOrigins: config.corsOrigins,
    isPlainText: createTextCheck(config, loaded),
    ...{ newId, isDraining, replies, log },
  })
  const events = createPortEvents(meter, log)
  const { ports, close } = await openPorts(config, dependencies, loaded.registry, meter, events)
  const signEnd = await signCheckpoints(config, { ...dependencies, ports, meter })
  const stopPruning = pruneTaints(ports.taints, log)
  const gateway = createGateway(config, loaded, ports, folders)
  const svids = await openSvids(config, { clock, log, meter })
  const readiness = await registerRoutes(server, config, dependencies, gateway, { meter, replies }, svids)
  const onHandshakeFailure = (): void => meter.add('tappass_svid_refusals_total', 1, 'x509_svid', 'handshake')
  const svidListener = serveSvids(server, config, svids, { newId, onHandshakeFailure })
  await server.ready()
  const closeAll = (): Promise<unknown> => {
    svids?.close()
    return Promise.all([close().then(signEnd), gateway.inspector?.close(), stopPruning()])
  }
  const self = createSelf(server, gateway, figures, newId)
  return { server, svidListener, readiness, ...self, ledger: ports.ledger, close: closeAll }
}
