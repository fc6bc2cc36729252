/** A machine that the toolkit made a server of, with what the proofs ask of it. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import OpenAI from 'openai'
import { Agent, fetch } from 'undici'
import { parse, stringify } from 'yaml'
import { SERVING } from '../../contract/unit.ts'
import type { Event } from '../../scripts/output/event.ts'
import { execute, type Output } from './execution.ts'
import { down, hostAddressOf, list, type Machine, type MachineOptions, run, up } from './machine.ts'
import { startUpstream, type Upstream } from './upstream.ts'

/** The root of this repository. */
export const repository = join(import.meta.dirname, '../..')

/** `folder` holds the spec and what tests lay beside it; it goes with `close`. The toolkit logs in as `user`, or as root. */
export type Server = Readonly<{
  user?: string
  machine: Machine
  upstream: Upstream
  folder: string
  specPath: string
  close: () => Promise<void>
}>

/** Runs the toolkit's command line as a person on this host would, from the clone at `root`. */
export const toolkit = (words: readonly string[], timeoutMs = 600_000, root = repository): Promise<Output> =>
  execute([process.execPath, join(root, 'scripts/cli.ts'), ...words], {
    cwd: root,
    env: {
      ...{ PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'dumb' },
      NODE_COMPILE_CACHE: join(root, '.tappass/cache'), // as the launcher has it
    },
    timeoutMs,
  })

/** An address as it stands in a URL and in `--host`. */
const written = (address: string): string => (isIPv6(address) ? `[${address}]` : address)

/** The words that name a server's machine, for any verb that takes a host. */
export const machineWords = ({ machine, user = 'root' }: Pick<Server, 'machine' | 'user'>): readonly string[] => [
  ...['--host', `${user}@${written(machine.address)}`],
  ...['--identity', machine.key, '--known-hosts', machine.knownHosts],
]

/** The words that name a server's machine and its spec. */
export const hostWords = (server: Pick<Server, 'machine' | 'specPath' | 'user'>): readonly string[] => [
  ...machineWords(server),
  ...['--config', server.specPath],
]

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** A name of this process's own, so that two runs on one host don't meet; machines that killed runs left are taken away. */
export const claimName = async (name: string): Promise<string> => {
  const owners = (await list()).map((machine) => new RegExp(`^${name}-p(\\d+)$`).exec(machine.name))
  for (const owner of owners) if (owner !== null && !isAlive(Number(owner[1]))) await down(owner[0])
  return `${name}-p${process.pid}`
}

/** A machine that is only up: a model server outside listens for it, and its spec (host.yaml and that address) is written. */
export const bareServer = async (purpose: string, pauseMs = 0, options: MachineOptions = {}): Promise<Server> => {
  const name = await claimName(purpose)
  await down(name)
  const machine = await up(name, options)
  const folder = await mkdtemp(join(tmpdir(), 'tappass-lab-'))
  const host = await hostAddressOf(machine)
  const upstream = await startUpstream({ host, record: join(folder, 'upstream.jsonl'), pauseMs })
  const specPath = join(folder, 'host.yaml')
  const server = { machine, upstream, folder, specPath }
  await writeSpec(server, (spec) => ({ ...spec, gateway: { callsMax: 1_000_000, upstream: upstream.url } }))
  const close = async (): Promise<void> => {
    await upstream.stop()
    await down(name)
    await rm(folder, { recursive: true, force: true })
  }
  return { ...server, close }
}

/** The bodies that reached the model server outside. */
export const bodiesOutside = async ({ upstream }: Pick<Server, 'upstream'>): Promise<readonly string[]> =>
  (await upstream.received()).flatMap((line) => (line.event === 'call' ? [line.body] : []))

/** Writes the server's spec: the lab's own, changed by `change`. */
export const writeSpec = async (
  { specPath }: Pick<Server, 'specPath'>,
  change: (spec: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> => {
  const spec = parse(await readFile(join(import.meta.dirname, 'host.yaml'), 'utf8')) as Record<string, unknown>
  await writeFile(specPath, stringify(change(spec)))
}

/** The events in a command's standard output. */
export const eventsOf = ({ stdout }: Output): readonly Event[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Event)

/** Node's arguments for `tappass bootstrap`, for tests that start it themselves. */
export const bootstrapWords = (server: Pick<Server, 'machine' | 'specPath'>): readonly string[] => [
  ...[join(repository, 'scripts/cli.ts'), 'bootstrap', ...hostWords(server), '--yes', '--json'],
]

/** Runs `tappass bootstrap` and insists on success. */
export const bootstrap = async (server: Server, ...words: readonly string[]): Promise<Output> => {
  const output = await toolkit(['bootstrap', ...hostWords(server), '--yes', '--json', ...words])
  if (output.code === 0) return output
  const failed = eventsOf(output).flatMap((event): readonly unknown[] => {
    if (event.event === 'refused') return event.reasons
    return event.event === 'step-failed' || event.event === 'error' ? [event.failure] : []
  })
  throw new Error(
    `bootstrap ended with ${output.code}: ${JSON.stringify(failed, null, 2)}\n${output.stderr.slice(-2000)}`,
  )
}

/** A server, bare to healthy. */
export const bootstrappedServer = async (name: string, options: MachineOptions = {}): Promise<Server> => {
  const server = await bareServer(name, 0, options)
  try {
    await bootstrap(server)
    return server
  } catch (error) {
    await server.close()
    throw error
  }
}

/** Runs a shell text on the machine as root and gives what it printed; throws when it fails. */
export const inside = async ({ machine }: Pick<Server, 'machine'>, script: string): Promise<string> => {
  const output = await run(machine, script)
  if (output.code === 0) return output.stdout.trim()
  throw new Error(`${script}\nended with ${output.code}: ${output.stderr || output.stdout}`)
}

/** Ends with SIGKILL the run that goes on as a unit of the machine, if one does. */
export const killUnitOfRun = (server: Pick<Server, 'machine'>): Promise<string> =>
  inside(
    server,
    `systemctl kill --kill-whom=main --signal=SIGKILL tappass-run.service 2>/dev/null || :
    while systemctl is-active --quiet tappass-run.service; do sleep 0.1; done`,
  )

/** The value of a secret of the machine, as root on it may read it. */
export const secretOf = (server: Pick<Server, 'machine'>, id: string): Promise<string> =>
  inside(server, `systemd-creds decrypt --name=${id} /etc/credstore.encrypted/${id} -`)

/** Speaks to the gateway as from elsewhere: through Caddy, trusting only the machine's own authority. */
export type Door = Readonly<{
  fetch: typeof fetch
  url: (path: string) => string
  admin: (path: string, body?: unknown) => Promise<Readonly<{ status: number; body: unknown }>>
  /** Makes an agent and gives the OpenAI client, unchanged but for base URL and key, that it would use. */
  agent: (id: string) => Promise<Readonly<{ key: string; client: OpenAI }>>
  close: () => Promise<void>
}>

/** `connections` is how many are kept open at most. */
export const door = async (server: Server, connections = 64): Promise<Door> => {
  const ca = await inside(server, 'cat /var/lib/tappass/caddy/caddy/pki/authorities/local/root.crt')
  const adminKey = await secretOf(server, 'tappass-admin-api-key')
  const dispatcher = new Agent({ connect: { ca }, connections })
  const through: typeof fetch = (input, init) => fetch(input, { ...init, dispatcher })
  const url = (path: string): string => `https://${written(server.machine.address)}${path}`
  const admin: Door['admin'] = async (path, body) => {
    const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
    const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) }
    const response = await through(url(path), init)
    return { status: response.status, body: await response.json() }
  }
  const agent: Door['agent'] = async (id) => {
    const { status, body } = await admin('/agents', { agent_id: id })
    if (status !== 201) throw new Error(`no agent ${id}: ${status} ${JSON.stringify(body)}`)
    const { api_key: key } = body as { api_key: string }
    const client = new OpenAI({
      apiKey: key,
      baseURL: url('/v1'),
      maxRetries: 0,
      fetch: through as unknown as typeof globalThis.fetch,
    })
    return { key, client }
  }
  return { fetch: through, url, admin, agent, close: () => dispatcher.close() }
}

/** Every unit's main process by its number; the unit's name, `0` where it has none. */
export const mainPids = async (server: Pick<Server, 'machine'>): Promise<Readonly<Record<string, string>>> => {
  const units = ['tappass@1', 'tappass@2', 'tappass-postgres', 'tappass-redis', 'tappass-caddy', 'docker']
  const pids = await inside(server, `systemctl show --property=MainPID --value ${units.join(' ')}`)
  const numbers = pids.split('\n').filter((line) => line !== '')
  return Object.fromEntries(units.map((unit, index) => [unit, numbers[index] ?? '']))
}

/** Waits until `/health` answers 200 through Caddy, and each instance says of itself that it serves. Throws with the units' states after `timeoutMs`. */
export const untilHealthy = async (server: Server, timeoutMs = 120_000): Promise<void> => {
  const script = `for try in $(seq ${Math.ceil(timeoutMs / 500)}); do
    [ "$(curl -sk -o /dev/null -w '%{http_code}' https://${written(server.machine.address)}/health)" = 200 ] &&
      ! systemctl show --state=active --property=StatusText --value 'tappass@*.service' | grep . | grep -qv '^${SERVING}' && exit 0
    sleep 0.5; done; exit 1`
  const { code } = await run(server.machine, script)
  if (code === 0) return
  throw new Error(`not healthy: ${await inside(server, 'systemctl --no-pager list-units --all "tappass*"')}`)
}

/** Gives a fresh copy of the machine's record of how it is: what `tappass plan` would change, by resource. */
export const plan = async (
  server: Server,
  ...words: readonly string[]
): Promise<Readonly<{ code: number; events: readonly Event[] }>> => {
  const output = await toolkit(['plan', ...hostWords(server), '--json', ...words])
  return { code: output.code, events: eventsOf(output) }
}

/** Asserts that a plan has nothing to do; names what it has to do otherwise. */
export const assertNothingToDo = async (server: Server): Promise<void> => {
  const { code, events } = await plan(server)
  assert.deepEqual([code, code === 0 ? [] : events], [0, []])
}
