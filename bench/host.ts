/**
 * How long a bare machine takes to a healthy one, role by role, and a run that has nothing to do, over SSH, on a lab
 * machine of its own. Run as root: `node bench/host.ts [no-op runs, 5 unless told]`. Prints a table for docs/.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ROLE_NAMES } from '../scripts/recipe.ts'

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

const lab = (...words: readonly string[]): string => {
  const done = spawnSync(join(root, 'test/lab/lab'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
  if (done.status !== 0) throw new Error(`test/lab/lab ${words.join(' ')} ended with ${done.status}`)
  return done.stdout
}

/** Runs one command line of ours with its events; throws when it does not exit with `code`. */
const tappass = (words: readonly string[], code: number): Timed => {
  const startedMs = performance.now()
  const done = spawnSync(join(root, 'tappass'), [...words, '--json'], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const seconds = (performance.now() - startedMs) / 1000
  if (done.status !== code)
    throw new Error(`tappass ${words[0]} ended with ${done.status}:\n${done.stdout}${done.stderr}`)
  const lines = done.stdout.split('\n').filter((line) => line.startsWith('{'))
  return { seconds, lines: lines.map((line) => JSON.parse(line) as Line) }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const row = (...cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`)

const measure = (runs: number): void => {
  const at = JSON.parse(lab('up', machine)) as { address: string; key: string; knownHosts: string }
  const common = ['--host', `root@${at.address}`, '--identity', at.key, '--known-hosts', at.knownHosts]
  const options = [...common, '--config', 'test/lab/host.yaml']
  // On the bare machine each role has everything to do, so its plan names all its resources.
  const roleOf = new Map<string, string>()
  for (const role of ROLE_NAMES) {
    const planned = tappass(['plan', ...options, '--only', role], 2).lines.find(({ event }) => event === 'plan')
    for (const { resource } of planned?.changes ?? []) roleOf.set(resource, role)
  }
  const whole = tappass(['bootstrap', ...options, '--yes'], 0)
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
  const idle = Array.from({ length: runs }, () => tappass(['bootstrap', ...options, '--yes'], 0))
  const all = idle.map(({ seconds }) => seconds)
  const trips = idle.at(-1)?.lines.find(({ event }) => event === 'run-finished')?.roundTrips
  row(
    `nothing to do, whole command (median of ${runs}; ${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)})`,
    median(all).toFixed(2),
  )
  console.log(`\nround trips of a run with nothing to do: ${trips}`)
}

try {
  lab('down', machine)
  measure(Number(process.argv[2] ?? 5))
} finally {
  lab('down', machine)
}
