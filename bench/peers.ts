/**
 * Measures the gateway beside Portkey's gateway and LiteLLM's proxy: one run, one model server, one client, in interleaved rounds on one
 * core; prints medians as tables. `node bench/peers.ts [--seconds 4] [--rounds 3] [--starts 3] [--clients 1,32,128] [--cache FOLDER]
 * [--node PATH]`. The cache folder is where the peers are installed to.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, homedir, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { installPeer, type Peer, peers } from './peer.ts'
import { residentMb } from './resident-memory.ts'
import { type Command, end, type Figures, type Rig, startRig, type Target } from './rig.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    starts: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,32,128' },
    cache: { type: 'string', default: join(homedir(), '.cache/tappass-bench') },
    node: { type: 'string', default: process.execPath },
  },
})
const clientCounts = values.clients.split(',').map(Number)
const modes = ['whole', 'stream'] as const
type Mode = (typeof modes)[number]

/** One that is measured. `startMs`: from its start to its first answered call, of each start. */
type Contender = Readonly<{ name: string; does: string; target: Target; startMs: readonly number[] }>

/** How one is started, and what its clients send. */
type Entry = Readonly<{
  name: string
  does: string
  key: string
  headers: readonly string[]
  commandAt: (port: number) => Promise<Command> | Command
}>

const print = (line: string): unknown => process.stdout.write(`${line}\n`)
const progress = (line: string): unknown => process.stderr.write(`${line}\n`)
const load = (): string =>
  loadavg()
    .map((number) => number.toFixed(1))
    .join(' ')

let portsGiven = 0
const nextPort = (): number => 40_000 + (process.pid % 10_000) + portsGiven++

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}

/** Starts it so often, and leaves the last one running. */
async function startContender(rig: Rig, { name, does, key, headers, commandAt }: Entry): Promise<Contender> {
  const startMs: number[] = []
  for (let left = Number(values.starts); ; left--) {
    const port = nextPort()
    const command = await commandAt(port)
    const beganMs = performance.now()
    const child = rig.start(command)
    const target = { url: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, key, headers }
    await untilAnswered(target, () => child.exitCode !== null, command.log)
    startMs.push(performance.now() - beganMs)
    progress(`${name} answered after ${startMs.at(-1)?.toFixed(0)} ms`)
    if (left <= 1) return { name, does, target, startMs }
    await end(child)
  }
}

/** Calls until a call is answered; throws, with the end of the log, when none is in two minutes. */
async function untilAnswered({ url, key, headers = [] }: Target, hasEnded: () => boolean, log?: string): Promise<void> {
  const endMs = performance.now() + 120_000
  const more = Object.fromEntries(headers.map((line) => line.split(/: (.*)/s).slice(0, 2)))
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...more },
    body: JSON.stringify({ model: 'stand-in', messages: [{ role: 'user', content: 'Good morning.' }] }),
  }
  while (performance.now() < endMs && !hasEnded()) {
    const answer = await fetch(`${url}/v1/chat/completions`, request).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer?.ok) return
    await sleep(20)
  }
  const printed = log === undefined ? '' : (await readFile(log, 'utf8')).trim().slice(-500)
  throw new Error(`answered no call: ${printed}`)
}

/** The gateway of this repository, and all peers that can be installed. */
async function entriesOf(rig: Rig, scratch: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [
    {
      name: 'TapPass',
      does: 'checks the key, limits, runs all detectors over request and answer, decides by the policy, writes two durable entries of the ledger',
      key: rig.key,
      headers: [],
      commandAt: rig.gatewayAt,
    },
  ]
  for (const peer of peers) {
    progress(`installing ${peer.name} ${peer.version}, if it is not there`)
    const installed = await installPeer(peer, values.cache)
    if ('reason' in installed)
      print(`${peer.name} ${peer.version} is not measured; it can't be installed: ${installed.reason}\n`)
    else entries.push(entryOf(peer, installed.folder, rig, scratch))
  }
  return entries
}

function entryOf(peer: Peer, folder: string, rig: Rig, scratch: string): Entry {
  const upstream = rig.targets.direct.url
  return {
    name: `${peer.name} ${peer.version}`,
    does: peer.does,
    key: peer.key,
    headers: peer.headers(upstream),
    commandAt: (port) =>
      peer.command({ folder, scratch, log: join(scratch, `${port}.log`), upstream, port, node: values.node }),
  }
}

const results = new Map<string, Figures[]>()
const keyOf = (mode: Mode, clients: number, name: string): string => `${mode} ${clients} ${name}`

async function measure(rig: Rig, targets: readonly Readonly<{ name: string; target: Target }>[]): Promise<void> {
  for (const mode of modes) for (const { target } of targets) await rig.load(target, 32, 3, mode === 'stream')
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const mode of modes) {
      for (const clients of clientCounts) {
        for (const { name, target } of targets) {
          const figures = await rig.load(target, clients, Number(values.seconds), mode === 'stream')
          const key = keyOf(mode, clients, name)
          results.set(key, [...(results.get(key) ?? []), figures])
          const reasons =
            figures.failures === 0 ? '' : `, ${figures.failures} failed: ${JSON.stringify(figures.reasons)}`
          progress(`round ${round + 1}\t${key}\t${figures.perSecond.toFixed(0)} calls/s${reasons}`)
        }
      }
    }
  }
}

function report(contenders: readonly Contender[]): void {
  const of = (mode: Mode, clients: number, name: string, member: Exclude<keyof Figures, 'reasons'>): number =>
    median((results.get(keyOf(mode, clients, name)) ?? []).map((figures) => figures[member]))
  for (const mode of modes) {
    print(
      `| ${mode === 'stream' ? 'streamed answers' : 'whole answers'} | clients | calls/s | added to the model server, p50 / p99 | processor a call | failed |`,
    )
    print('|---|--:|--:|--:|--:|--:|')
    for (const clients of clientCounts) {
      for (const { name } of contenders) {
        const added = (member: 'p50Ms' | 'p99Ms'): string =>
          (of(mode, clients, name, member) - of(mode, clients, 'direct', member)).toFixed(1)
        const failed = (results.get(keyOf(mode, clients, name)) ?? []).reduce((sum, { failures }) => sum + failures, 0)
        print(
          `| ${name} | ${clients} | ${of(mode, clients, name, 'perSecond').toFixed(0)} | ${added('p50Ms')} / ${added('p99Ms')} ms | ` +
            `${of(mode, clients, name, 'cpuUs').toFixed(0)} µs | ${failed} |`,
        )
      }
    }
    print('')
  }
  print('| | start to first answered call | resident memory after the run | what it does with a call here |')
  print('|---|--:|--:|---|')
  for (const { name, does, target, startMs } of contenders)
    print(`| ${name} | ${(median(startMs) / 1000).toFixed(1)} s | ${residentMb(target.pid).toFixed(0)} MB | ${does} |`)
}

print(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}, ` +
    `${values.rounds} rounds of ${values.seconds} s; load average before: ${load()}\n`,
)
const scratch = await mkdtemp(join(tmpdir(), 'tappass-peers-'))
const rig = await startRig(values.node)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void rig.close().finally(() => process.exit(1)))
try {
  const contenders: Contender[] = []
  for (const entry of await entriesOf(rig, scratch)) {
    const contender = await startContender(rig, entry).catch((error: Error) => error.message)
    if (typeof contender === 'string') print(`${entry.name} is not measured; it was started and ${contender}\n`)
    else contenders.push(contender)
  }
  await measure(rig, [{ name: 'direct', target: rig.targets.direct }, ...contenders])
  report(contenders)
  print(`\nload average after: ${load()}`)
} finally {
  await rig.close()
  await rm(scratch, { recursive: true, force: true })
}
