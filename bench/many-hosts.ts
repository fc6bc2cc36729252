/** `bench/host.ts --hosts 20 --latency 50`: a run that finds nothing to do, on one host and on so many at once, behind a line with latency. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { $ } from 'zx'
import type { Machine } from './converge-peer.ts'
import { median, row } from './figure.ts'

const root = join(import.meta.dirname, '..')

type Lab = (...words: readonly string[]) => Promise<string>
type Figures = Readonly<{ seconds: number; processorMs: number }>
type Line = Readonly<{ relay: ChildProcess; ports: readonly number[] }>

async function startRelay(latencyMs: number, machines: readonly Machine[]): Promise<Line> {
  const argv = [join(root, 'bench/delay-relay.ts'), String(latencyMs), ...machines.map(({ address }) => address)]
  const relay = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [ports] = await once(createInterface({ input: relay.stdout }), 'line')
  return { relay, ports: JSON.parse(ports as string) }
}

/** One key that all of them accept, and their own keys under the relay's names. */
async function giveKeys(
  lab: Lab,
  folder: string,
  names: readonly string[],
  machines: readonly Machine[],
  ports: readonly number[],
) {
  const identity = join(folder, 'identity')
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity])
  const key = readFileSync(`${identity}.pub`, 'utf8').trim()
  for (const name of names) await lab('run', name, `echo '${key}' >>/root/.ssh/authorized_keys`)
  const known = machines.map(({ address, knownHosts }, index) =>
    readFileSync(knownHosts, 'utf8').replaceAll(address, `[127.0.0.1]:${ports[index]}`),
  )
  writeFileSync(join(folder, 'known_hosts'), known.join(''))
  return ['--identity', identity, '--known-hosts', join(folder, 'known_hosts'), '--yes']
}

async function run(ports: readonly number[], access: readonly string[]): Promise<Figures> {
  const hosts = ports.flatMap((port) => ['--host', `root@127.0.0.1:${port}`])
  const env = { ...process.env, NODE_COMPILE_CACHE: join(root, '.tappass/cache'), BENCH_PROCESSOR: '1' }
  const startMs = performance.now()
  const done = await $({ cwd: root, quiet: true, env })`${process.execPath} bench/equal-run.ts ${hosts} ${access}`
  const seconds = (performance.now() - startMs) / 1000
  return { seconds, processorMs: Number(/^processor (\d+) ms$/m.exec(done.stderr)?.[1]) }
}

/** Measures one host and all of them in turn, so often. The machines are made here, and taken away again. */
export async function manyHosts(lab: Lab, count: number, latencyMs: number, rounds: number): Promise<void> {
  const names = Array.from({ length: count }, (_, number) => `bench-many-${number}`)
  const folder = mkdtempSync(join(tmpdir(), 'tappass-many-'))
  let line: Line | undefined
  try {
    const machines: Machine[] = []
    for (const name of names) machines.push(JSON.parse(await lab('up', name)) as Machine)
    line = await startRelay(latencyMs, machines)
    const { ports } = line
    const access = await giveKeys(lab, folder, names, machines, ports)
    await run(ports, access) // makes what the others find
    const [one, all]: [Figures[], Figures[]] = [[], []]
    for (let round = 0; round < rounds; round++) {
      one.push(await run(ports.slice(0, 1), access))
      all.push(await run(ports, access))
    }
    const of = (figures: readonly Figures[], member: keyof Figures) => median(figures.map((each) => each[member]))
    row(`${latencyMs} ms latency, nothing to do`, 'seconds', 'processor of the controller')
    row('---', '--:', '--:')
    row('one host', of(one, 'seconds').toFixed(2), `${of(one, 'processorMs')} ms`)
    row(`${count} hosts`, of(all, 'seconds').toFixed(2), `${of(all, 'processorMs')} ms`)
    const ratios = all.map(({ seconds }, round) => seconds / (one[round]?.seconds ?? Number.NaN))
    const further = (of(all, 'processorMs') - of(one, 'processorMs')) / (count - 1)
    console.log(`\n${count} hosts take ${median(ratios).toFixed(1)} times as long as one (median of ${rounds} rounds)`)
    console.log(`processor of the controller for each further host: ${further.toFixed(0)} ms`)
  } finally {
    line?.relay.kill()
    for (const name of names) await lab('down', name)
    rmSync(folder, { recursive: true, force: true })
  }
}
