/**
 * The gateway's process: reads its settings, opens what it needs, listens, and stops without failing a request.
 * Notifies its supervisor, over systemd's socket or the channel of a parent process.
 */

import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, systemClock } from './adapters/system.ts'
import { createNotify, type Notify } from './adapters/systemd.ts'
import { type App, createApp } from './app.ts'
import { type Config, readConfig } from './config/config.ts'
import type { SessionDatabase } from './core/ports.ts'
import { isUnavailable } from './database/database-error.ts'
import { waitingDatabase } from './database/waiting-database.ts'
import { releaseVersion } from './observability/about.ts'
import { createErrorTexts } from './observability/error-text.ts'
import { createLogger } from './observability/logger.ts'
import { drain, type Traffic, watchTraffic } from './process/drain.ts'
import { listen } from './process/listener.ts'
import { openDatabase, prepareSchema } from './process/storage.ts'
import { probeAsDependency, servingStatus, waitForDependencies, watchDependencies } from './process/supervisor.ts'

const clock = systemClock
let isDraining = false

/** How long a start waits for its dependencies where no supervisor is told how it is. */
const DEPENDENCY_WAIT_MS = 5000

/** Everything that is running, so that it can be stopped. */
type Running = Readonly<{
  config: Config
  database: SessionDatabase
  app: App
  traffics: readonly Traffic[]
  notify: Notify | undefined
}>

async function start(): Promise<Running> {
  const config = readConfig('gateway')
  const errorTexts = createErrorTexts()
  const log = createLogger(config.logLevel, undefined, errorTexts.redact)
  const notify = config.notify && (await createNotify(config.notify.socket))
  const wait = (missing: () => Promise<readonly string[]>): Promise<void> =>
    waitForDependencies(missing, notify, (dependencies) => log.warn({ dependencies }, 'waiting'), clock)
  const database = await openDatabase(config, clock, (err) =>
    log.warn({ err }, 'a connection to the database was lost'),
  )
  await wait(() => prepareDatabase(database, config))
  const app = await createApp(config, {
    ...{ clock, random: createRandom(), log, errorTexts, isDraining: () => isDraining },
    database: waitingDatabase(database, clock, sleep),
    probeDatabase: () => database.query('SELECT 1'),
  })
  const traffics = serversOf(app).map((server) => watchTraffic(server, clock))
  const giveUpMs = notify ? Number.POSITIVE_INFINITY : clock.elapsedMs() + DEPENDENCY_WAIT_MS
  // Clients may be queued on a shared socket already, and other instances accept there: it listens when it can serve.
  await wait(async () => (clock.elapsedMs() < giveUpMs ? await failedChecks(app) : []))
  app.readiness.start()
  await wait(async () => (clock.elapsedMs() < giveUpMs ? await ownHealth(app) : []))
  if (notify) await wait(probeAsDependency(app.probe, clock))
  const url = await listen(app.server.server, config.listen)
  await serveSvids(app)
  await notify?.(`READY=1\n${servingStatus(url)}`)
  if (notify)
    watchDependencies(() => ownHealth(app), notify, {
      status: () => servingStatus(url, { ...app.figures(), inFlight: sumOf(traffics) }),
      isOver: () => isDraining,
      clock,
    })
  if (notify && config.notify?.watchdogMs) startWatchdog(app, notify, config)
  for (const warning of config.warnings) app.server.log.warn(warning)
  app.server.log.info({ url, storage: config.storage, instance: config.instance }, 'serving')
  process.send?.({ type: 'ready', url })
  return { config, database, app, traffics, notify }
}

/** The server of keys and, where there is one, that of SVIDs. */
function serversOf({ server, svidListener }: App): readonly Server[] {
  return svidListener === undefined ? [server.server] : [server.server, svidListener.server]
}

function sumOf(traffics: readonly Traffic[]): number {
  return traffics.reduce((sum, { open }) => sum + open, 0)
}

/** Listens for clients with an SVID; without an SVID of our own not before there is one, which is no reason to keep the others waiting. */
async function serveSvids({ server, svidListener }: App): Promise<void> {
  if (svidListener === undefined) return
  let listening: Promise<void> | undefined
  svidListener.whenServable(() => {
    if (isDraining) return
    listening = listen(svidListener.server, svidListener.address).then((url) =>
      server.log.info({ url }, 'serving clients with an SVID'),
    )
    listening.catch(fail)
  })
  if (listening === undefined)
    server.log.warn('clients with an SVID are not served yet: the gateway has none of its own')
  await listening
}

/**
 * Migrates or checks the schema. Returns the database's name while it is away and a supervisor may be told so; throws what
 * waiting does not mend.
 */
async function prepareDatabase(database: SessionDatabase, config: Config): Promise<readonly string[]> {
  try {
    await prepareSchema(database, config, releaseVersion(), clock)
    return []
  } catch (error) {
    if (config.notify && isUnavailable(error)) return ['database']
    throw error
  }
}

/** The dependencies that do not answer. */
async function failedChecks({ readiness }: App): Promise<readonly string[]> {
  const { checks } = await readiness.check()
  return Object.entries(checks).flatMap(([name, { status }]) => (status === 'failed' ? [name] : []))
}

/**
 * What anybody would be told who asked this process: a release whose own route says that it is not well does not serve. Returns
 * what does not answer, or `health` when the route says so for another reason.
 */
async function ownHealth(app: App): Promise<readonly string[]> {
  if ((await app.askHealth()) === 200) return []
  const failed = await failedChecks(app)
  return failed.length > 0 ? failed : ['health']
}

/** Resets systemd's watchdog at half of its interval, after a check of what only this process can have broken. */
function startWatchdog({ readiness }: App, notify: Notify, config: Config): void {
  // An OPA server that is away is not mended by another start of this process.
  const isOwn = config.policy.engine === 'embedded'
  const timer = setInterval(
    async () => {
      const { opa } = (await readiness.check()).checks
      if (!isOwn || opa?.status === 'ok') await notify('WATCHDOG=1').catch(() => {})
    },
    (config.notify?.watchdogMs ?? 0) / 2,
  )
  timer.unref()
}

async function stop({ config, database, app, traffics, notify }: Running, signal: string): Promise<void> {
  isDraining = true
  app.readiness.drain()
  app.server.log.info({ signal }, 'stopping')
  await notify?.('STOPPING=1').catch(() => {})
  const drained = serversOf(app).map((server, at) => drain(server, traffics[at] as Traffic, config.drainMs, clock))
  const outcome = (await Promise.all(drained)).includes('cut') ? 'cut' : 'drained'
  // When the database is unavailable the chain lacks its last entry; the next start records where it ended.
  await app.close().catch((err: unknown) => app.server.log.warn({ err }, 'the ledger was not closed'))
  await database.close().catch((err: unknown) => app.server.log.warn({ err }, 'the database was not closed'))
  app.server.log.info({ outcome }, 'stopped')
  process.exit(0)
}

function fail(cause: unknown): void {
  const message = cause instanceof Error ? cause.message : String(cause)
  process.stderr.write(`tappass gateway: ${message}\n`)
  process.exitCode = 1
  if (process.send) process.send({ type: 'failed', message }, () => process.exit(1))
  else process.exit(1)
}

async function run(): Promise<void> {
  const running = await start()
  let isStopping = false
  const end = (reason: string): void => {
    if (!isStopping) void stop(running, reason).catch(fail)
    isStopping = true
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal))
  // A process that was started over a channel is stopped over it: a killed parent can't send a signal.
  if (process.send) process.once('disconnect', () => end('disconnect'))
}

if (import.meta.main) await run().catch(fail)
