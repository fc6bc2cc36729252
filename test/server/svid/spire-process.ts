/** SPIRE as processes on loopback: a server, an agent, and spiffe-helper, which keeps the gateway's folder. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../free-port.ts'
import { TRUST_DOMAIN } from './svid-client.ts'

const run = promisify(execFile)
const PROGRAMS = join(process.env['TAPPASS_LAB_CACHE'] || '/var/cache/tappass-lab', 'go')
const program = (name: string): string => realpathSync(join(PROGRAMS, name))
const START_MS_MAX = 20_000

/** `folder` is the gateway's, which spiffe-helper keeps once it is asked to. */
export type Spire = Readonly<{
  folder: string
  /** Adds an entry for the processes of a program: its SPIFFE id, how long its SVIDs live, names of hosts. */
  addEntry: (path: string, of: string, seconds: number, ...names: readonly string[]) => Promise<void>
  startAgent: () => Promise<void>
  startHelper: () => void
  /** Gives the X.509-SVID of this program's own path: certificate, key, bundle, by the files that the agent writes. */
  fetchX509: (folder: string) => Promise<void>
  fetchToken: (audience: string) => Promise<string>
  /** The agent's program and its socket, as words of a shell. */
  agentProgram: string
  agentOptions: string
  close: () => Promise<void>
}>

/** Starts a server. Programs that are named are those of the cache. */
export async function startSpire(): Promise<Spire> {
  const root = mkdtempSync(join(tmpdir(), 'spire-'))
  const path = (name: string): string => join(root, name)
  const folder = path('svid')
  mkdirSync(folder)
  const children: ChildProcess[] = []
  const start = (name: string, ...args: readonly string[]): void => {
    children.push(spawn(program(name), args, { stdio: ['ignore', 'ignore', 'inherit'] }))
  }
  const port = await freePort()
  const server = (...args: readonly string[]): Promise<string> =>
    run(program('spire-server'), [...args, '-socketPath', path('server.sock')]).then(({ stdout }) => stdout)
  const agent = (...args: readonly string[]): Promise<string> =>
    run(program('spire-agent'), [...args, '-socketPath', path('agent.sock')]).then(({ stdout }) => stdout)
  writeFileSync(path('server.conf'), serverConfig(path, port))
  start('spire-server', 'run', '-config', path('server.conf'))
  await until(() => server('healthcheck'))
  return {
    folder,
    addEntry: async (id, of, seconds, ...names) => {
      const lifetimes = ['-x509SVIDTTL', String(seconds), '-jwtSVIDTTL', String(seconds)]
      const selectors = ['-parentID', `spiffe://${TRUST_DOMAIN}/host`, '-selector', `unix:path:${program(of)}`]
      const dns = names.flatMap((name) => ['-dns', name])
      await server('entry', 'create', '-spiffeID', id, ...selectors, ...lifetimes, ...dns)
    },
    startAgent: async () => {
      writeFileSync(path('bundle.pem'), await server('bundle', 'show'))
      const token = await server('token', 'generate', '-spiffeID', `spiffe://${TRUST_DOMAIN}/host`, '-output', 'json')
      writeFileSync(path('agent.conf'), agentConfig(path, port))
      start('spire-agent', 'run', '-config', path('agent.conf'), '-joinToken', JSON.parse(token).value)
      await until(() => agent('healthcheck'))
    },
    startHelper: () => {
      writeFileSync(path('helper.conf'), helperConfig(path, folder))
      start('spiffe-helper', '-config', path('helper.conf'))
    },
    fetchX509: async (target) => void (await agent('api', 'fetch', 'x509', '-write', target)),
    fetchToken: async (audience) => {
      const [answer] = JSON.parse(await agent('api', 'fetch', 'jwt', '-audience', audience, '-output', 'json'))
      return answer.svids[0].svid
    },
    agentProgram: program('spire-agent'),
    agentOptions: `-socketPath ${path('agent.sock')}`,
    close: async () => {
      for (const child of children) child.kill('SIGKILL')
      await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')))
      rmSync(root, { recursive: true, force: true })
    },
  }
}

const serverConfig = (path: (name: string) => string, port: number): string => `
server {
  bind_address = "127.0.0.1"
  bind_port = "${port}"
  socket_path = "${path('server.sock')}"
  trust_domain = "${TRUST_DOMAIN}"
  data_dir = "${path('server')}"
  log_level = "ERROR"
}
plugins {
  DataStore "sql" { plugin_data { database_type = "sqlite3" connection_string = "${path('server.sqlite3')}" } }
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
}
`

const agentConfig = (path: (name: string) => string, port: number): string => `
agent {
  server_address = "127.0.0.1"
  server_port = "${port}"
  socket_path = "${path('agent.sock')}"
  trust_domain = "${TRUST_DOMAIN}"
  trust_bundle_path = "${path('bundle.pem')}"
  data_dir = "${path('agent')}"
  log_level = "ERROR"
}
plugins {
  KeyManager "memory" { plugin_data {} }
  NodeAttestor "join_token" { plugin_data {} }
  WorkloadAttestor "unix" { plugin_data { discover_workload_path = true } }
}
`

const helperConfig = (path: (name: string) => string, folder: string): string => `
agent_address = "${path('agent.sock')}"
cert_dir = "${folder}"
svid_file_name = "svid.pem"
svid_key_file_name = "svid_key.pem"
svid_bundle_file_name = "svid_bundle.pem"
jwt_bundle_file_name = "jwt_bundle.json"
daemon_mode = true
`

/** Asks again until the question is answered. Rejects with its last error after a while. */
export async function until<Value>(ask: () => Promise<Value>): Promise<Value> {
  const endMs = Date.now() + START_MS_MAX
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (Date.now() > endMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
