/**
 * Gateways as pods of the chart: each process has the environment and the secret files that the rendered Deployment gives to a pod, moved to folders and addresses of
 * this machine. The migration is the rendered Job's. Needs: postgres, redis.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SYSTEM_RANDOMNESS } from '../../scripts/runners/randomness.ts'
import { generateSecrets } from '../../scripts/secrets/secret-generation.ts'
import { freePort } from '../free-port.ts'
import { type PostgresServer, startPostgres } from '../postgres-server.ts'
import { type ModelServer, startModelServer } from '../server/model-server.ts'
import { type Manifest, ROOT, renderManifests } from './manifest.ts'

/** Gateways are killed here, and not PostgreSQL: what it has not flushed is not lost. */
const NO_FLUSH = ['fsync = off', 'full_page_writes = off']

type Environment = Readonly<Record<string, string>>

/** A gateway that serves. `name` is that of its pod. */
export type Replica = Readonly<{ name: string; url: string; child: ChildProcess; checkpoints: string }>

/** What all replicas share. `secrets` is the folder of the Secret. */
export type Cluster = Readonly<{
  folder: string
  secrets: string
  postgres: PostgresServer
  models: ModelServer
  adminKey: string
  /** The environment that asks the same database, for the processes of auditors. */
  environment: Environment
  startReplica: (name: string) => Promise<Replica>
  close: () => Promise<void>
}>

/** What a pod runs, as far as it matters here. */
type Container = Readonly<{ args: readonly string[]; env: readonly Readonly<{ name: string; value?: string }>[] }>

function containerOf(manifests: readonly Manifest[], kind: 'Deployment' | 'Job'): Container {
  const found = manifests.find((each) => each.kind === kind)
  if (found === undefined) throw new Error(`the chart has no ${kind}`)
  return found.spec.template.spec.containers[0] as Container
}

/** The environment of a container; `here` is what it is on this machine. */
function environmentOf({ env }: Container, here: Environment): Environment {
  const pairs = env.map(({ name, value = '' }) => [name, value] as const)
  return { PATH: process.env['PATH'] ?? '', ...Object.fromEntries(pairs), ...here }
}

async function startRedis(folder: string, port: number): Promise<ChildProcess> {
  const words = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder]
  const child = spawn('redis-server', words, { stdio: 'ignore' })
  const isThere = () =>
    new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  while (!(await isThere())) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`)
    await sleep(20)
  }
  return child
}

async function startProcess(environment: Environment): Promise<Readonly<{ child: ChildProcess; url: string }>> {
  const child = spawn(process.execPath, [join(ROOT, 'server/main.ts')], {
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const [message] = (await once(child, 'message')) as [{ type: string; url?: string; message?: string }]
  if (message.type !== 'ready' || message.url === undefined) throw new Error(`no gateway: ${message.message}`)
  return { child, url: message.url }
}

/** Starts PostgreSQL, Redis and a model server, and runs the migration. `settings` are those of the chart's values. */
export async function startCluster(settings: Environment): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'tappass-replicas-'))
  const secrets = join(folder, 'secrets')
  mkdirSync(secrets)
  const [postgres, models, port] = await Promise.all([startPostgres(NO_FLUSH), startModelServer(), freePort()])
  const redis = await startRedis(folder, port)
  const generated = generateSecrets(SYSTEM_RANDOMNESS)
  for (const [id, text] of Object.entries({ ...generated, 'postgres-password': postgres.password }))
    writeFileSync(join(secrets, id), text, { mode: 0o600 })
  const manifests = renderManifests({
    database: { url: `${postgres.tcpUrl()}?sslmode=disable` },
    redis: { url: `redis://127.0.0.1:${port}` },
    // No test lasts for so long: a drain is cut by nothing.
    drain: { callSeconds: 600 },
    settings: { TAPPASS_UPSTREAM_URL: `${models.url}/v1`, TAPPASS_LOG_LEVEL: 'error', ...settings },
  })
  const environment = environmentOf(containerOf(manifests, 'Job'), { CREDENTIALS_DIRECTORY: secrets })
  const { args } = containerOf(manifests, 'Job')
  const migrated = spawnSync(process.execPath, args, { cwd: ROOT, env: environment, encoding: 'utf8' })
  if (migrated.status !== 0) throw new Error(`the migration ended with ${migrated.status}: ${migrated.stderr}`)
  const children = new Set([redis])
  const startReplica = async (name: string): Promise<Replica> => {
    const checkpoints = join(folder, name)
    mkdirSync(checkpoints)
    const here = { CREDENTIALS_DIRECTORY: secrets, TAPPASS_CHECKPOINT_DIR: checkpoints, TAPPASS_INSTANCE: name }
    const bound = { TAPPASS_HOST: '127.0.0.1', TAPPASS_PORT: '0' }
    const { child, url } = await startProcess(
      environmentOf(containerOf(manifests, 'Deployment'), { ...here, ...bound }),
    )
    children.add(child)
    return { name, url, child, checkpoints }
  }
  const close = async (): Promise<void> => {
    for (const child of children) child.kill('SIGKILL')
    await models.close()
    await postgres.dispose()
    rmSync(folder, { recursive: true })
  }
  const adminKey = generated['tappass-admin-api-key'] ?? ''
  return { folder, secrets, postgres, models, adminKey, environment, startReplica, close }
}

/** Ends one, and gives how it ended. */
export async function endReplica({ child }: Replica, signal: NodeJS.Signals): Promise<unknown> {
  const ended = once(child, 'exit')
  child.kill(signal)
  return await ended
}
