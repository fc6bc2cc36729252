/**
 * Measures the gateway against a bare Fastify + undici proxy and against the model server itself, in interleaved rounds. The
 * measured process has one core, everything else (load, stand-in, PostgreSQL, Redis) the other. All steps are on, the rate
 * limiter is Redis, the ledger PostgreSQL 16 with fsync. `node bench/gateway.ts [--seconds 5] [--rounds 3] [--node PATH]`
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startPostgres } from '../test/postgres-server.ts'

type Figures = Readonly<{
  calls: number
  failures: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  /** Processor time of the measured process for one call. */
  cpuUs: number
}>

/** Something that answers, and the process whose time counts. */
type Target = Readonly<{ url: string; pid: number }>

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    node: { type: 'string', default: process.execPath },
  },
})
const HERE = import.meta.dirname
const MEASURED_CORE = '0'
const OTHER_CORE = '1'
const ADMIN_KEY = `tp_${'bench-admin-'.repeat(3)}`
const CLIENTS = [1, 16, 32]

const children: ChildProcess[] = []

function run(core: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn('taskset', ['-c', core, ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin', ...env },
  })
  children.push(child)
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('no output')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return line
}

async function load({ url, pid }: Target, key: string, clients: number, seconds: string): Promise<Figures> {
  const beforeUs = cpuTimeUs(pid)
  const child = run(OTHER_CORE, [
    values.node,
    join(HERE, 'closed-loop.ts'),
    `${url}/v1/chat/completions`,
    key,
    String(clients),
    seconds,
  ])
  const figures = JSON.parse(await firstLine(child)) as Omit<Figures, 'cpuUs'>
  return { ...figures, cpuUs: (cpuTimeUs(pid) - beforeUs) / figures.calls }
}

/** User and system time of a process (proc(5): fields 14 and 15, in hundredths of a second). */
function cpuTimeUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

async function untilReady(url: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 100) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.ok) return
    await sleep(100)
  }
  throw new Error('the gateway did not get ready')
}

async function makeAgent(url: string): Promise<string> {
  const answer = await fetch(`${url}/agents`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ agent_id: 'bench' }),
  })
  return ((await answer.json()) as { api_key: string }).api_key
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}

const folder = await mkdtemp(join(tmpdir(), 'tappass-bench-'))
const postgres = await startPostgres()
try {
  run(OTHER_CORE, [
    'redis-server',
    '--port',
    '0',
    '--unixsocket',
    join(folder, 'redis.sock'),
    '--save',
    '',
    '--dir',
    folder,
  ])
  const standIn = run(OTHER_CORE, [values.node, join(HERE, 'stand-in.ts')])
  const upstream = await firstLine(standIn)
  const proxy = run(MEASURED_CORE, [values.node, join(HERE, 'bare-proxy.ts'), upstream])
  const bare = await firstLine(proxy)
  const port = 20_000 + (process.pid % 20_000)
  const gateway = run(
    MEASURED_CORE,
    [values.node, '--disable-warning=ExperimentalWarning', join(HERE, '../server/main.ts')],
    {
      TAPPASS_PORT: String(port),
      TAPPASS_ADMIN_API_KEY: ADMIN_KEY,
      TAPPASS_UPSTREAM_URL: `${upstream}/v1`,
      TAPPASS_RATE_CALLS: '100000000',
      DATABASE_URL: postgres.socketUrl(),
      REDIS_URL: `unix://${join(folder, 'redis.sock')}`,
    },
  )
  gateway.stdout?.resume()
  const ours = `http://127.0.0.1:${port}`
  await untilReady(ours)
  const key = await makeAgent(ours)
  const targets: Readonly<Record<string, Target>> = {
    direct: { url: upstream, pid: standIn.pid ?? 0 },
    bare: { url: bare, pid: proxy.pid ?? 0 },
    gateway: { url: ours, pid: gateway.pid ?? 0 },
  }
  for (const target of Object.values(targets)) await load(target, key, 16, '3')
  const results = new Map<string, Figures[]>()
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const clients of CLIENTS) {
      for (const [name, target] of Object.entries(targets)) {
        const figures = await load(target, key, clients, values.seconds)
        const cell = `${name} ${clients}`
        results.set(cell, [...(results.get(cell) ?? []), figures])
      }
    }
  }
  const of = (name: string, clients: number, member: keyof Figures): number =>
    median((results.get(`${name} ${clients}`) ?? []).map((figures) => figures[member]))
  for (const clients of CLIENTS) {
    for (const name of Object.keys(targets)) {
      const failures = (results.get(`${name} ${clients}`) ?? []).reduce((sum, figures) => sum + figures.failures, 0)
      process.stdout.write(
        `c=${clients}\t${name}\t${of(name, clients, 'perSecond').toFixed(0)} req/s\tp50 ${of(name, clients, 'p50Ms').toFixed(2)} ms\t` +
          `p99 ${of(name, clients, 'p99Ms').toFixed(2)} ms\tcpu ${of(name, clients, 'cpuUs').toFixed(0)} us\tfailures ${failures}\n`,
      )
    }
    const ratio = of('gateway', clients, 'perSecond') / of('bare', clients, 'perSecond')
    const added = (member: 'p50Ms' | 'p99Ms', than: string): string =>
      (of('gateway', clients, member) - of(than, clients, member)).toFixed(2)
    process.stdout.write(
      `c=${clients}\tgateway / bare = ${ratio.toFixed(2)}; added to direct: p50 ${added('p50Ms', 'direct')} ms, p99 ${added('p99Ms', 'direct')} ms; ` +
        `added to bare: p50 ${added('p50Ms', 'bare')} ms, p99 ${added('p99Ms', 'bare')} ms\n`,
    )
  }
} finally {
  for (const child of children) child.kill('SIGKILL')
  await postgres.dispose()
  await rm(folder, { recursive: true, force: true })
}
