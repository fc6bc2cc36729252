/** A real Caddy with the repository's Caddyfile, as an ordinary process of this machine. Needs: perl. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type PeerCertificate } from 'node:tls'
import { demand } from './execution.ts'
import { ensureGoProgram } from './program.ts'

const root = join(import.meta.dirname, '../..')

/** The repository's Caddyfile. */
export const caddyfile = join(root, 'Caddyfile')

/** Two ports of this machine that nothing listens on. */
export const freePorts = async (): Promise<readonly [http: number, https: number]> => {
  const servers = await Promise.all(
    [0, 1].map(async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports as [number, number]
}

/** `log` is what it has written so far. `stop` is what systemd does: SIGTERM, and it waits for the end. */
export type Caddy = Readonly<{ pid: number; log: () => string; stop: () => Promise<void>; kill: () => Promise<void> }>

/** `folder` is its home, with its authority and its certificates; `env` is what the Caddyfile varies by. */
export type CaddyOptions = Readonly<{ folder: string; env: Readonly<Record<string, string>>; config?: string }>

/** Starts a Caddy, and gives it once it serves. Throws with what it said when it ends before. */
export async function startCaddy({ folder, env, config = caddyfile }: CaddyOptions): Promise<Caddy> {
  const child = spawn(await ensureGoProgram('caddy'), ['run', '--config', config, '--adapter', 'caddyfile'], {
    // As in its unit: over MPTCP the kernel takes no rule on who accepts.
    env: { ...env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder, GODEBUG: 'multipathtcp=0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'exit')
  let log = ''
  child.stdout.on('data', (text) => {
    log += text
  })
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (text) => {
      log += text
      if (log.includes('serving initial configuration')) resolve()
    })
    child.once('exit', () => reject(new Error(log)))
  })
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    child.kill(signal)
    await ended
  }
  assert.ok(child.pid !== undefined)
  return { pid: child.pid, log: () => log, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}

/** What its unit does before another one begins to listen on its ports, and once that one serves: sets who gets new connections. */
export async function setListenerRule(which: 'oldest' | 'newest', { pid }: Caddy): Promise<void> {
  await demand(['perl', join(root, 'templates/caddy/listener-rule.pl'), which, `${pid}`])
}

/** The certificate that a client gets which asks for `servername`; without one it asks for none. */
export const certificateFor = (port: number, servername: string): Promise<PeerCertificate> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false, timeout: 5_000 })
    socket.once('error', reject).once('secureConnect', () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    })
  })

/** Waits until it has its first certificate: it serves before. */
export async function awaitCertificate(port: number): Promise<void> {
  while ((await certificateFor(port, 'localhost').catch(() => undefined)) === undefined) await pause(50)
}
