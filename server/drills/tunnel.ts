/** A connector of the tunnel crashes: it is ended with SIGKILL while the other one serves, and has to be connected to the edge again. */
import { setTimeout as sleep } from 'node:timers/promises'
import { connectors } from '../../contract/unit.ts'
import { createStopwatch, type Drill, type DrillContext, demand, NotHere } from '../drill/drill.ts'
import { isRunning, processOf } from '../drill/service-unit.ts'

const LOOK_MS = 100
const BACK_MS_MAX = 120_000

/** Whether the connector of that number has a connection to the edge, by its own word. */
async function isConnected({ run }: DrillContext, number: number): Promise<boolean> {
  const url = `http://127.0.0.1:2024${number}/ready`
  const { code } = await run(['curl', '--silent', '--fail', '--max-time', '2', '--output', '/dev/null', url])
  return code === 0
}

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'tunnel',
  summary: 'each connector of the tunnel is ended with SIGKILL, one after the other',
  touches: 'service',
  effect: 'calls that a connector has in hand are cut off; new ones come through the other one',
  goal: { rtoMs: 60_000, rpoMs: 0 },
  run: async (context) => {
    const { clock, run } = context
    const units = connectors(2)
    if (!(await isRunning(context, units[0] ?? ''))) throw new NotHere('there is no tunnel here (ingress in host.yaml)')
    const watch = createStopwatch(clock)
    for (const [index, unit] of units.entries()) {
      const other = index === 0 ? 2 : 1
      if (!(await isConnected(context, other)))
        throw new Error(`connector ${other} is not connected: nothing was ended`)
      await watch.time(`connector ${index + 1}: connected again`, async () => {
        await demand(run, processOf('connector', unit).kill)
        const endMs = clock.elapsedMs() + BACK_MS_MAX
        // Until systemd has seen its end, it is the old one that answers.
        await sleep(LOOK_MS)
        while (!(await isConnected(context, index + 1))) {
          if (!(await isConnected(context, other))) throw new Error('the other connector lost its connections, too')
          if (clock.elapsedMs() > endMs) throw new Error(`${unit} is not connected again. next: tappass status`)
          await sleep(LOOK_MS)
        }
      })
    }
    const rtoMs = Math.max(...watch.steps.map(({ ms }) => ms))
    return { rtoMs, rpoMs: 0, steps: watch.steps, notes: ['the other connector was connected all the time'] }
  },
}
