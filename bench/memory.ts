/**
 * Measures what memory an instance holds after a million calls or ten minutes, whichever is first.
 * `node bench/memory.ts [--calls 1000000] [--minutes 10] [--clients 32] [--node PATH]`; prints a line every ten seconds.
 */
import { parseArgs } from 'node:util'
import { residentMb } from './resident-memory.ts'
import { type Figures, startRig } from './rig.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '1000000' },
    minutes: { type: 'string', default: '10' },
    clients: { type: 'string', default: '32' },
    node: { type: 'string', default: process.execPath },
  },
})

const failed = ({ failures, reasons }: Figures): string => (failures === 0 ? '' : `failed: ${JSON.stringify(reasons)}`)

const rig = await startRig(values.node)
try {
  const { gateway } = rig.targets
  const endMs = performance.now() + Number(values.minutes) * 60_000
  const startMb = residentMb(gateway.pid)
  let calls = 0
  let failures = 0
  let mostMb = startMb
  while (calls < Number(values.calls) && performance.now() < endMs) {
    const figures = await rig.load(gateway, Number(values.clients), 10)
    calls += figures.calls
    failures += figures.failures
    mostMb = Math.max(mostMb, residentMb(gateway.pid))
    process.stdout.write(
      `${calls} calls\t${residentMb(gateway.pid).toFixed(0)} MB\t${figures.perSecond.toFixed(0)} calls/s\t${failed(figures)}\n`,
    )
  }
  process.stdout.write(
    `at the start ${startMb.toFixed(0)} MB, at the end ${residentMb(gateway.pid).toFixed(0)} MB, at most ${mostMb.toFixed(0)} MB, ` +
      `after ${calls} calls, ${failures} of which failed\n`,
  )
} finally {
  await rig.close()
}
