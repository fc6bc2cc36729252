/**
 * The gateway's process: reads its settings, opens what it needs, listens, and stops without failing a request.
 * Notifies its supervisor, over systemd's socket or the channel of a parent process.
 */

import { createRandom, systemClock } from './adapters/system.ts'
import { createNotify, type Notify } from './adapters/systemd.ts'
import { type App, createApp } from './app.ts'
import { type Config, readConfig } from './config/config.ts'
import type { SessionDatabase } from './core/ports.ts'
import { releaseVersion } from './observability/about.ts'
import { createLogger } from './observability/logger.ts'
import { drain, type Traffic, watchTraffic } from './process/drain.ts'
import { listen } from './process/listener.ts'
import { openDatabase, prepareSchema } from './process/storage.ts'

const clock = systemClock
let isDraining = false

/** How long a start waits for its dependencies; well below the unit's TimeoutStartSec. */
const DEPENDENCY_WAIT_MS = 5000

/** Everything that is running, so that it can be stopped. */
type Running = Readonly<{
  config: Config
  database: SessionDatabase
  app: App
  traffic: Traffic
  notify: Notify | undefined
}>

async function start(): Promise<Running> {
  const config = readConfig('gateway')
  const log = createLogger(config.logLevel)
  const database = await openDatabase(config, clock, (err) =>
    log.warn({ err }, 'a connection to the database was lost'),
  )
  await prepareSchema(database, config, releaseVersion(), clock)
  const app = await createApp(config, { database, clock, random: createRandom(), log, isDraining: () => isDraining })
  const traffic = watchTraffic(app.server.server, clock)
  await waitForDependencies(app)
  const url = await listen(app.server.server, config.listen)
  app.readiness.start()
  const notify = config.notify && (await createNotify(config.notify.socket))
  await notify?.(`READY=1\nSTATUS=serving ${url}`)
  if (notify && config.notify?.watchdogMs) startWatchdog(app, notify, config.notify.watchdogMs)
  for (const warning of config.warnings) app.server.log.warn(warning)
  app.server.log.info({ url, storage: config.storage, instance: config.instance }, 'serving')
  process.send?.({ type: 'ready', url })
  return { config, database, app, traffic, notify }
}

/**
 * Clients may be queued on a shared socket already, so nothing is accepted before database, policy and Redis respond.
 * A dependency that stays unavailable does not block the start: after the wait each call fails on its own.
 */
async function waitForDependencies({ readiness }: App): Promise<void> {
  const startMs = clock.elapsedMs()
  while (clock.elapsedMs() - startMs < DEPENDENCY_WAIT_MS) {
    const { checks } = await readiness.check()
    if (Object.values(checks).every(({ status }) => status === 'ok')) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Resets systemd's watchdog at half of its interval, after a check of what only this process can have broken. */
function startWatchdog({ readiness }: App, notify: Notify, watchdogMs: number): void {
  const timer = setInterval(async () => {
    const { opa } = (await readiness.check()).checks
    if (opa?.status === 'ok') await notify('WATCHDOG=1').catch(() => {})
  }, watchdogMs / 2)
  timer.unref()
}

async function stop({ config, database, app, traffic, notify }: Running, signal: string): Promise<void> {
  isDraining = true
  app.readiness.drain()
  app.server.log.info({ signal }, 'stopping')
  await notify?.('STOPPING=1').catch(() => {})
  const outcome = await drain(app.server.server, traffic, config.drainMs, clock)
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
