/**
 * How long a bare machine takes to a healthy one, role by role, and a run that has nothing to do, over SSH, on a lab
 * machine of its own. Run as root: `node bench/host.ts [no-op runs, 5 unless told]`. Prints a table for docs/.
 * `--hosts 20 --latency 50`: instead, 50 resources with nothing to do, on one host and on 20, 50 ms away.
 * `--peers`: instead, 50 equal resources with nothing to do, in turn with pyinfra and Ansible (both installed from PyPI).
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { $ } from 'zx'
import { ROLE_NAMES } from '../scripts/recipe.ts'
import { connectSsh } from '../scripts/runners/ssh.ts'
import type { Machine } from './converge-peer.ts'
import { race } from './converge-race.ts'
import { median, row } from './figure.ts'
import { manyHosts } from './many-hosts.ts'

const root = join(import.meta.dirname, '..')
const machine = 'bench-host'

type Line = Readonly<{
  event: string
  resource?: string
  ms?: number
  roundTrips?: number
  changes?: readonly { resource: string }[]
}>
type Timed = Readonly<{ seconds: number; lines: readonly Line[] }>

const here = $({ cwd: root, quiet: true })
const lab = (...words: readonly string[]): Promise<string> => here`test/lab/lab ${words}`.text()

/** Runs one command line of ours with its events; throws when it does not exit with `code`. */
const tappass = async (words: readonly string[], code: number): Promise<Timed> => {
  const startedMs = performance.now()
  const done = await here({ nothrow: true })`./tappass ${words} --json`
  const seconds = (performance.now() - startedMs) / 1000
  if (done.exitCode !== code)
    throw new Error(`tappass ${words[0]} ended with ${done.exitCode}:\n${done.stdout}${done.stderr}`)
  const lines = done.stdout.split('\n').filter((line) => line.startsWith('{'))
  return { seconds, lines: lines.map((line) => JSON.parse(line) as Line) }
}

const upMachine = async (): Promise<Machine> => JSON.parse(await lab('up', machine)) as Machine

/** The seconds until commands could be sent: connection, handshake, login. */
const handshake = async ({ address: name, key, knownHosts }: Machine): Promise<number> => {
  const access = { identities: [key], isUsual: false, agent: undefined, knownHosts: [knownHosts] as const }
  const startMs = performance.now()
  const connection = await connectSsh(
    { user: 'root', name, port: 22 },
    { ...access, shouldAcceptNewKey: false, nowMs: Date.now },
  )
  const seconds = (performance.now() - startMs) / 1000
  await connection.close()
  return seconds
}

const measure = async (runs: number): Promise<void> => {
  const at = await upMachine()
  const common = ['--host', `root@${at.address}`, '--identity', at.key, '--known-hosts', at.knownHosts]
  const options = [...common, '--config', 'test/lab/host.yaml']
  // On the bare machine each role has everything to do, so its plan names all its resources.
  const roleOf = new Map<string, string>()
  for (const role of ROLE_NAMES) {
    const { lines } = await tappass(['plan', ...options, '--only', role], 2)
    for (const { resource } of lines.find(({ event }) => event === 'plan')?.changes ?? []) roleOf.set(resource, role)
  }
  const whole = await tappass(['bootstrap', ...options, '--yes'], 0)
  const secondsOf = new Map<string, number>()
  for (const { event, resource, ms } of whole.lines) {
    if (event !== 'step-finished') continue
    const role = roleOf.get(resource ?? '') ?? 'other'
    secondsOf.set(role, (secondsOf.get(role) ?? 0) + (ms ?? 0) / 1000)
  }
  row('what', 'seconds')
  row('---', '--:')
  for (const [role, seconds] of secondsOf) row(role, seconds.toFixed(1))
  row('bare to healthy, whole command', whole.seconds.toFixed(1))
  const idle: Timed[] = []
  const handshakes: number[] = []
  while (idle.length < runs) {
    handshakes.push(await handshake(at))
    idle.push(await tappass(['bootstrap', ...options, '--yes'], 0))
  }
  const all = idle.map(({ seconds }) => seconds)
  const beyond = all.map((seconds, index) => seconds - (handshakes[index] ?? Number.NaN))
  const trips = idle.at(-1)?.lines.find(({ event }) => event === 'run-finished')?.roundTrips
  row(
    `nothing to do, whole command (median of ${runs}; ${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`,
    median(all).toFixed(2),
  )
  row('handshake and login by themselves', median(handshakes).toFixed(2))
  row('nothing to do, beyond them (median of the differences)', median(beyond).toFixed(2))
  console.log(`\nround trips of a run with nothing to do: ${trips}`)
}

const measurePeers = async (rounds: number): Promise<void> => {
  const at = await upMachine()
  await lab('run', machine, 'apt-get update -qq && apt-get install -qq -y python3 python3-apt')
  await race(at, rounds)
}

const { values, positionals } = parseArgs({
  options: { peers: { type: 'boolean' }, hosts: { type: 'string' }, latency: { type: 'string', default: '50' } },
  allowPositionals: true,
})
const runs = Number(positionals[0] ?? 5)
try {
  await lab('down', machine)
  if (values.peers === true) await measurePeers(runs)
  else if (values.hosts !== undefined) await manyHosts(lab, Number(values.hosts), Number(values.latency), runs)
  else await measure(runs)
} finally {
  await lab('down', machine)
}
