/**
 * What measurements of the gateway stand on: a stand-in model server, a bare proxy, PostgreSQL 16 with fsync, Redis, and the
 * gateway with all steps on. The measured processes share one core, everything else the other.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { unitFlags } from './unit-flag.ts'

/** What a load gives. `cpuUs`: processor time of the measured process for one call. */
export type Figures = Readonly<{
  calls: number
  failures: number
  /** What failures said, and how often. */
  reasons: Readonly<Record<string, number>>
  perSecond: number
  p50Ms: number
  p99Ms: number
  cpuUs: number
}>

/** Something that answers chat completions, and the process whose time counts. `key` and `headers`: when not as for the gateway. */
export type Target = Readonly<{ url: string; pid: number; key?: string; headers?: readonly string[] }>

/** How a process is started: its arguments, its environment besides PATH, and the file that gets what it prints (if any). */
export type Command = Readonly<{ argv: readonly string[]; env: Readonly<Record<string, string>>; log?: string }>

/** The rig. `load` sends calls from so many clients at once, each the next when it has the answer. */
export type Rig = Readonly<{
  targets: Readonly<Record<'direct' | 'bare' | 'gateway', Target>>
  load: (target: Target, clients: number, seconds: number, isStream?: boolean) => Promise<Figures>
  /** The key of the registered agent. */
  key: string
  /** What starts another instance of the gateway, on the same database. */
  gatewayAt: (port: number) => Command
  /** Starts a process beside the gateway, on the same core; `close` ends it, or `end` before that. */
  start: (command: Command) => ChildProcess
  close: () => Promise<void>
}>

const HERE = import.meta.dirname
const MEASURED_CORE = '0'
const OTHER_CORE = '1'
/** The admin's key of gateways that are measured. */
export const ADMIN_KEY: string = `tp_${'bench-admin-'.repeat(3)}`

/** Starts everything with the Node at `node`; an agent is registered and used by every load. */
export async function startRig(node: string): Promise<Rig> {
  const children: ChildProcess[] = []
  const run = runner(children)
  const folder = await mkdtemp(join(tmpdir(), 'tappass-bench-'))
  const database = await firstLine(run(OTHER_CORE, [node, join(HERE, '../test/server/postgres-process.ts')]))
  const socket = join(folder, 'redis.sock')
  run(OTHER_CORE, ['redis-server', '--port', '0', '--unixsocket', socket, '--save', '', '--dir', folder])
  const direct = await announced(run(OTHER_CORE, [node, join(HERE, 'stand-in.ts')]))
  const bare = await announced(run(MEASURED_CORE, [node, join(HERE, 'bare-proxy.ts'), direct.url]))
  const gatewayAt = (port: number): Command => ({
    argv: [node, ...unitFlags(), join(HERE, '../server/main.ts')],
    env: {
      TAPPASS_PORT: String(port),
      TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
      TAPPASS_UPSTREAM_URL: `${direct.url}/v1`,
      TAPPASS_RATE_CALLS: '100000000',
      DATABASE_URL: database,
      REDIS_URL: `unix://${socket}`,
    },
  })
  const start = ({ argv, env, log }: Command): ChildProcess => {
    const child = run(MEASURED_CORE, argv, env, log)
    child.stdout?.resume()
    return child
  }
  const port = 20_000 + (process.pid % 20_000)
  const gateway = start(gatewayAt(port))
  const url = `http://127.0.0.1:${port}`
  await untilReady(url)
  const key = await createAgent(url)
  return {
    targets: { direct, bare, gateway: { url, pid: gateway.pid ?? 0 } },
    key,
    gatewayAt,
    start,
    load: loader(run, node, key),
    close: async () => {
      // The youngest first: PostgreSQL goes after those who use it, and removes its data then.
      for (const child of children.toReversed()) await end(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

type Run = (core: string, argv: readonly string[], env?: Command['env'], log?: string) => ChildProcess

/** Starts processes on a core and notes them. */
function runner(children: ChildProcess[]): Run {
  return (core, argv, env = {}, log) => {
    const file = log === undefined ? undefined : openSync(log, 'a')
    const child = spawn('taskset', ['-c', core, ...argv], {
      stdio: ['ignore', file ?? 'pipe', file ?? 'inherit'],
      env: { PATH: '/usr/bin:/bin', ...env },
    })
    if (file !== undefined) closeSync(file)
    children.push(child)
    return child
  }
}

function loader(run: Run, node: string, key: string): Rig['load'] {
  return async (target, clients, seconds, isStream = false) => {
    const beforeUs = cpuTimeUs(target.pid)
    const argv = [
      join(HERE, 'closed-loop.ts'),
      ...(isStream ? ['--stream'] : []),
      ...(target.headers ?? []).flatMap((line) => ['--header', line]),
      `${target.url}/v1/chat/completions`,
      target.key ?? key,
      String(clients),
      String(seconds),
    ]
    const figures = JSON.parse(await firstLine(run(OTHER_CORE, [node, ...argv]))) as Omit<Figures, 'cpuUs'>
    return { ...figures, cpuUs: (cpuTimeUs(target.pid) - beforeUs) / figures.calls }
  }
}

/** Ends a process and waits for that; one that does not go by itself is killed after ten seconds. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const killing = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(killing)
}

/** User and system time of a process (proc(5): fields 14 and 15, in hundredths of a second). */
function cpuTimeUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function announced(child: ChildProcess): Promise<Target> {
  return { url: await firstLine(child), pid: child.pid ?? 0 }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface(child.stdout)
  const closed = once(lines, 'close').then(() => [undefined])
  const [line] = (await Promise.race([once(lines, 'line'), closed])) as [string | undefined]
  if (line === undefined) throw new Error(`ended without a line: ${child.spawnargs.join(' ')}`)
  return line
}

/** Waits until the gateway is ready; throws after half a minute. */
export async function untilReady(url: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 100) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error('the gateway did not get ready')
}

/** Registers an agent and returns its key. */
export async function createAgent(url: string): Promise<string> {
  const answer = await fetch(`${url}/agents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent_id: 'bench' }),
  })
  return ((await answer.json()) as { api_key: string }).api_key
}
