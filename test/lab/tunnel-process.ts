/** The stand-in of cloudflared and the other end of its tunnel, as processes of this machine. `tunnel/README.md` says what it is and is not. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureTunnelProgram } from './program.ts'

/** A tunnel as Cloudflare knows it. */
export const TUNNEL = { account: '0a'.repeat(16), id: '6ff42ae2-765d-4adf-8112-31c55c1551ef', secret: 'of the lab' }

/** Its token, and its credentials file. */
export const tunnelToken = (): string =>
  Buffer.from(JSON.stringify({ a: TUNNEL.account, t: TUNNEL.id, s: TUNNEL.secret })).toString('base64')
export const tunnelCredentials = (): string =>
  JSON.stringify({ AccountTag: TUNNEL.account, TunnelID: TUNNEL.id, TunnelSecret: TUNNEL.secret })

/** Addresses, HOST:PORT, that clients and connectors go to. */
export type Edge = Readonly<{ clients: string; connectors: string; stop: () => void }>

/** Starts the other end; `host` is where it listens, `routes` those of a tunnel that are kept there. */
export async function startEdge(host: string, routes: readonly unknown[] = []): Promise<Edge> {
  const words = [`${host}:0`, `${host}:0`, TUNNEL.id, TUNNEL.secret, JSON.stringify(routes)]
  const child = spawn(await ensureTunnelProgram('edge'), words, { stdio: ['ignore', 'pipe', 'ignore'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { ...(JSON.parse(line) as Pick<Edge, 'clients' | 'connectors'>), stop: () => child.kill('SIGKILL') }
}

/** How many connections to the edge a connector says it has; 0 where nothing answers. */
export const readyConnections = async (metricsPort: number): Promise<number> => {
  const answer = await fetch(`http://127.0.0.1:${metricsPort}/ready`).catch(() => undefined)
  if (answer?.ok !== true) return 0
  return ((await answer.json()) as { readyConnections: number }).readyConnections
}

/** `log` is what it has written so far; `stop` is SIGTERM and the wait for its end. */
export type Connector = Readonly<{ child: ChildProcess; log: () => string; stop: () => Promise<void> }>

/** Starts a connector with the arguments of its unit, and gives it once its metrics say that it is connected. */
export async function startConnector(
  { connectors }: Pick<Edge, 'connectors'>,
  metricsPort: number,
  { config, run }: Readonly<{ config: string; run: readonly string[] }>,
): Promise<Connector> {
  const words = ['tunnel', '--config', config, '--no-autoupdate', '--metrics', `127.0.0.1:${metricsPort}`]
  const argv = [...words, '--grace-period', '3m', 'run', ...run]
  const env = { ...process.env, TUNNEL_EDGE: connectors }
  const child = spawn(await ensureTunnelProgram('cloudflared'), argv, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  let log = ''
  child.stderr.on('data', (text) => {
    log += text
  })
  while (child.exitCode === null && (await readyConnections(metricsPort)) === 0) await pause(20)
  if (child.exitCode !== null) throw new Error(log)
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { child, log: () => log, stop }
}
