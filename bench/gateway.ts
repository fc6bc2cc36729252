/**
 * Measures the gateway against a bare Fastify + undici proxy and against the model server itself, in interleaved rounds; prints
 * medians. `node bench/gateway.ts [--seconds 5] [--rounds 3] [--clients 1,32,128] [--node PATH]`
 */
import { parseArgs } from 'node:util'
import { type Figures, startRig } from './rig.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,32,128' },
    node: { type: 'string', default: process.execPath },
  },
})
const clientCounts = values.clients.split(',').map(Number)

type Figure = Exclude<keyof Figures, 'reasons'>

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? 0
}

const rig = await startRig(values.node)
try {
  const names = ['direct', 'bare', 'gateway'] as const
  for (const name of names) await rig.load(rig.targets[name], 32, 3)
  const results = new Map<string, Figures[]>()
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const clients of clientCounts) {
      for (const name of names) {
        const figures = await rig.load(rig.targets[name], clients, Number(values.seconds))
        results.set(`${name} ${clients}`, [...(results.get(`${name} ${clients}`) ?? []), figures])
      }
    }
  }
  const of = (name: string, clients: number, member: Figure): number =>
    median((results.get(`${name} ${clients}`) ?? []).map((figures) => figures[member]))
  for (const clients of clientCounts) {
    for (const name of names) {
      const figure = (member: Figure, digits: number): string => of(name, clients, member).toFixed(digits)
      process.stdout.write(
        `clients ${clients}\t${name}\t${figure('perSecond', 0)} calls/s\tp50 ${figure('p50Ms', 2)} ms\tp99 ${figure('p99Ms', 2)} ms\t` +
          `processor ${figure('cpuUs', 0)} us/call\tfailures ${figure('failures', 0)}\n`,
      )
    }
    const ratio = of('gateway', clients, 'perSecond') / of('bare', clients, 'perSecond')
    const added = (member: 'p50Ms' | 'p99Ms', than: string): string =>
      (of('gateway', clients, member) - of(than, clients, member)).toFixed(2)
    process.stdout.write(
      `clients ${clients}\tgateway / bare = ${ratio.toFixed(2)}; added to the model server itself: p50 ${added('p50Ms', 'direct')} ms, ` +
        `p99 ${added('p99Ms', 'direct')} ms; to the bare proxy: p50 ${added('p50Ms', 'bare')} ms, p99 ${added('p99Ms', 'bare')} ms\n`,
    )
  }
} finally {
  await rig.close()
}
