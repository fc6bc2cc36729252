/** `bench/host.ts --peers`: a run over SSH that finds 50 equal resources as they should be, ours and those of others in turn on one machine. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { $ } from 'zx'
import { convergePeers, type Machine } from './converge-peer.ts'
import { EQUAL_RESOURCES } from './equal-resource.ts'
import { median, row } from './figure.ts'
import { installPeer } from './peer.ts'

const root = join(import.meta.dirname, '..')

/** One that is measured: what is started, in which folder, and how its output says that nothing was changed. */
type Contender = Readonly<{
  name: string
  does: string
  argv: readonly string[]
  folder: string
  environment: Readonly<Record<string, string | undefined>>
  unchanged: RegExp
}>

function ours({ address, key, knownHosts }: Machine): Contender {
  const host = ['--host', `root@${address}`, '--identity', key, '--known-hosts', knownHosts]
  return {
    name: 'TapPass',
    does: 'one resource each, over one connection; preflight and lock as in bootstrap; Node without the launcher',
    argv: [process.execPath, join(root, 'bench/equal-run.ts'), ...host, '--yes'],
    folder: root,
    environment: { NODE_COMPILE_CACHE: join(root, '.tappass/cache') },
    unchanged: new RegExp(`all ${EQUAL_RESOURCES.length} resources are up to date`),
  }
}

/** Runs one to its end; returns its seconds, and throws when it failed. */
async function run(contender: Contender, mayChange: boolean): Promise<number> {
  const { name, argv, folder, environment, unchanged } = contender
  const startMs = performance.now()
  const done = await $({ cwd: folder, quiet: true, nothrow: true, env: { ...process.env, ...environment } })`${argv}`
  const seconds = (performance.now() - startMs) / 1000
  const said = `${done.stdout}${done.stderr}`
  if (done.exitCode !== 0 || !(mayChange || unchanged.test(said)))
    throw new Error(`${name} ended with ${done.exitCode}, or changed something:\n${said.slice(-2000)}`)
  return seconds
}

async function contendersOn(machine: Machine, scratch: string): Promise<readonly Contender[]> {
  const contenders: Contender[] = [ours(machine)]
  for (const peer of convergePeers) {
    const installed = await installPeer(peer, join(homedir(), '.cache/tappass-bench'))
    if ('reason' in installed) {
      console.log(`${peer.name} ${peer.version} is not measured; it can't be installed: ${installed.reason}\n`)
      continue
    }
    const folder = join(scratch, peer.name)
    mkdirSync(folder)
    peer.prepare(folder, machine)
    contenders.push({
      ...{ name: `${peer.name} ${peer.version}`, does: peer.does, folder, unchanged: peer.unchanged },
      argv: peer.argv(installed.folder),
      environment: { ...peer.environment, HOME: scratch },
    })
  }
  return contenders
}

/** Measures all in turn, so often, and prints medians and ratios. The machine has Python, which the others need. */
export async function race(machine: Machine, rounds: number): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'tappass-race-'))
  try {
    const contenders = await contendersOn(machine, scratch)
    const [first] = contenders as [Contender, ...Contender[]]
    // Ours makes them; whoever finds something to change afterwards would not have been told the same.
    await run(first, true)
    for (const each of contenders) await run(each, false)
    const seconds = new Map(contenders.map(({ name }) => [name, [] as number[]]))
    for (let round = 0; round < rounds; round++)
      for (const each of contenders) seconds.get(each.name)?.push(await run(each, false))
    const own = seconds.get(first.name) ?? []
    row(
      `${EQUAL_RESOURCES.length} equal resources, nothing to do`,
      'seconds',
      'least to most',
      'times ours, median of rounds',
    )
    row('---', '--:', '--:', '--:')
    for (const { name, does } of contenders) {
      const all = seconds.get(name) ?? []
      const ratios = all.map((value, round) => value / (own[round] ?? Number.NaN))
      row(
        `${name}: ${does}`,
        median(all).toFixed(2),
        `${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}`,
        median(ratios).toFixed(1),
      )
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
