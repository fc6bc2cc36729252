/** A whole gateway for tests: in this process, on a free port, over a database in memory and a model server on loopback. */
import { openPglite } from '../../server/adapters/pglite/pglite.ts'
import { createRandom, systemClock } from '../../server/adapters/system.ts'
import { createApp } from '../../server/app.ts'
import { readConfig } from '../../server/config/config.ts'
import type { Clock, SessionDatabase } from '../../server/core/ports.ts'
import type { CallFigures } from '../../server/observability/call-figures.ts'
import { createLogger } from '../../server/observability/logger.ts'
import { listen } from '../../server/process/listener.ts'
import { prepareSchema } from '../../server/process/storage.ts'
import { type ModelServer, startModelServer } from './model-server.ts'

/** The bootstrap admin's key of every gateway in tests. */
export const ADMIN_KEY: string = ['tp', 'only-for-tests-0123456789'].join('_')

/** A gateway that serves, with an agent that may call it. */
export type RunningGateway = Readonly<{
  url: string
  /** Where clients with an SVID connect; undefined where none are accepted, or the gateway has none. */
  svidUrl: string | undefined
  models: ModelServer
  database: SessionDatabase
  agent: Readonly<{ id: string; uuid: string; key: string }>
  /** Asks as the admin. */
  admin: (path: string, init?: RequestInit) => Promise<Response>
  /** Posts a JSON body with the agent's key. */
  post: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Response>
  /** What it tells systemd of its calls. */
  figures: () => CallFigures
  /** The newest entries of the ledger, the newest first. */
  audit: (query?: string) => Promise<readonly AuditEvent[]>
  close: () => Promise<void>
}>

/** An entry as `GET /audit` shows it. */
export type AuditEvent = Readonly<{
  event_type: string
  event_kind: string
  decision: string | null
  request_id: string | null
  step_name: string | null
  classification: string | null
  details: Readonly<Record<string, unknown>>
}>

/**
 * Starts one. `environment` adds settings, or takes one away with undefined; `stepFolders` hold steps beside the built-in ones; `given` is a database
 * that another gateway has used, and that is not closed; `clock` is that of the machine unless told. */
export async function startGateway(
  environment: Readonly<Record<string, string | undefined>> = {},
  stepFolders: readonly string[] = [],
  given?: SessionDatabase,
  clock: Clock = systemClock,
): Promise<RunningGateway> {
  const models = await startModelServer()
  const config = readConfig('gateway', {
    TAPPASS_PORT: '0',
    TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
    TAPPASS_UPSTREAM_URL: `${models.url}/v1`,
    TAPPASS_LOG_LEVEL: 'silent',
    ...environment,
  })
  const database = given ?? (await openPglite({ nowMs: Date.now }))
  await prepareSchema(database, config, '0.0.0', systemClock)
  const log = createLogger(config.logLevel)
  const dependencies = { database, clock, random: createRandom(), log, isDraining: () => false }
  const app = await createApp(config, dependencies, ...stepFolders)
  const url = await listen(app.server.server, config.listen)
  let svidUrl: string | undefined
  const { svidListener } = app
  if (svidListener) {
    await new Promise<void>((resolve) => svidListener.whenServable(resolve))
    svidUrl = await listen(svidListener.server, svidListener.address)
  }
  app.readiness.start()
  const admin: RunningGateway['admin'] = (path, init = {}) =>
    fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json', ...init.headers },
    })
  const first = await admin('/agents', { method: 'POST', body: JSON.stringify({ agent_id: 'tester' }) })
  const made = first.status === 409 ? await admin('/agents/tester/rotate-key', { method: 'POST' }) : first
  const { agent_uuid, api_key } = (await made.json()) as { agent_uuid: string; api_key: string }
  return {
    url,
    svidUrl,
    models,
    database,
    figures: app.figures,
    agent: { id: 'tester', uuid: agent_uuid, key: api_key },
    admin,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'POST',
        headers: { authorization: `Bearer ${api_key}`, 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    audit: async (query = '') => ((await (await admin(`/audit?${query}`)).json()) as { data: AuditEvent[] }).data,
    close: async () => {
      await models.close()
      svidListener?.server.close()
      svidListener?.server.closeAllConnections()
      await app.server.close()
      await app.close()
      if (given === undefined) await database.close()
    },
  }
}

/** A chat body that asks `content`. */
export function chat(content: unknown, more: object = {}): object {
  return { model: 'gpt-test', messages: [{ role: 'user', content }], ...more }
}
