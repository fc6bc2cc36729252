/**
 * Measures what traces cost: gateways without them, with one call in a hundred and with every call recorded, and, with `--before FOLDER` (a clone of a
 * commit without the code, dependencies installed), one that has none of it. All on one core, in turn in each round; prints medians, and ratios to the first of the same
 * round. `node bench/otel.ts [--seconds 5] [--rounds 9] [--clients 1,32] [--before FOLDER]`
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median, row } from './figure.ts'
import { type Command, type Figures, type Rig, startRig, type Target, untilReady } from './rig.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '9' },
    clients: { type: 'string', default: '1,32' },
    before: { type: 'string' },
  },
})

/** A collector that takes everything and reads nothing of it, in this process, which is on the other core. */
const collector = createServer((request, response) => request.resume().on('end', () => response.end()))
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`

const sampling = (share: string): Command['env'] => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_TRACES_SAMPLER: 'traceidratio',
  OTEL_TRACES_SAMPLER_ARG: share,
})

/** Starts another gateway on the rig's database; `main` is its program when it is another one. */
async function another(rig: Rig, at: number, env: Command['env'], main?: string): Promise<Target> {
  const port = 41_000 + (process.pid % 9000) + at
  const { argv, env: settings } = rig.gatewayAt(port)
  const program = main === undefined ? argv : [...argv.slice(0, -1), main]
  const child = rig.start({ argv: program, env: { ...settings, ...env, TAPPASS_INSTANCE: `bench${at}` } })
  const url = `http://127.0.0.1:${port}`
  await untilReady(url)
  return { url, pid: child.pid ?? 0 }
}

const rig = await startRig(process.execPath)
try {
  const targets: readonly (readonly [name: string, target: Target])[] = [
    ['unset', rig.targets.gateway],
    // Two of the same: what they differ by is noise.
    ['unset, another process', await another(rig, 1, {})],
    ...(values.before === undefined
      ? []
      : [['without the code', await another(rig, 2, {}, join(values.before, 'server/main.ts'))] as const]),
    ['1 % recorded', await another(rig, 3, sampling('0.01'))],
    ['all recorded', await another(rig, 4, sampling('1'))],
  ]
  for (const [, target] of targets) await rig.load(target, 32, 3)
  row('clients', 'gateway', 'calls/s', 'ratio', 'p50', 'p99', 'processor a call', 'ratio', 'failures')
  row(...Array.from({ length: 9 }, () => '---'))
  for (const clients of values.clients.split(',').map(Number)) {
    const rounds: Figures[][] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const figures: Figures[] = []
      for (const [, target] of targets) figures.push(await rig.load(target, clients, Number(values.seconds)))
      rounds.push(figures)
    }
    for (const [at, [name]] of targets.entries()) {
      const of = (figure: (own: Figures, first: Figures) => number): number =>
        median(rounds.map((figures) => figure(figures[at] as Figures, figures[0] as Figures)))
      row(
        String(clients),
        name,
        of(({ perSecond }) => perSecond).toFixed(0),
        of((own, first) => own.perSecond / first.perSecond).toFixed(3),
        `${of(({ p50Ms }) => p50Ms).toFixed(2)} ms`,
        `${of(({ p99Ms }) => p99Ms).toFixed(2)} ms`,
        `${of(({ cpuUs }) => cpuUs).toFixed(0)} µs`,
        of((own, first) => own.cpuUs / first.cpuUs).toFixed(3),
        of(({ failures }) => failures).toFixed(0),
      )
    }
  }
} finally {
  await rig.close()
  collector.close()
}
