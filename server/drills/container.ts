/** A part of the service crashes: each is ended with SIGKILL under load, and comes back by itself. */
import { gatewayInstance } from '../../contract/unit.ts'
import { underLoad } from '../drill/call-load.ts'
import { type Drill, type DrillContext, type DrillStep, NotHere } from '../drill/drill.ts'
import { containerOf, isRunning, killUnderLoad, processOf, type Victim } from '../drill/service-unit.ts'

const VICTIMS = [
  containerOf('redis'),
  containerOf('postgres'),
  processOf('gateway, one of its instances', gatewayInstance(1)),
]

async function victimsHere(context: DrillContext): Promise<readonly Victim[]> {
  const here = await Promise.all(VICTIMS.map(({ unit }) => isRunning(context, unit)))
  return VICTIMS.filter((_, index) => here[index])
}

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'container',
  summary: 'Redis, PostgreSQL and an instance of the gateway are ended with SIGKILL, one after the other',
  touches: 'service',
  effect:
    'calls wait or are refused for some seconds while Redis and then PostgreSQL are away, and the calls that an instance has in hand fail',
  goal: { rtoMs: 10_000, rpoMs: 0 },
  run: async (context) => {
    const victims = await victimsHere(context)
    if (victims.length === 0) throw new NotHere('nothing of the service runs here')
    const steps: DrillStep[] = []
    const { rtoMs, rpoMs, calls, failures } = await underLoad(context, async (load) => {
      let [firstMs, worstMs]: [number | undefined, number] = [undefined, 0]
      for (const victim of victims) {
        const { lossMs, outageMs, awayMs } = await killUnderLoad(context, victim, load)
        steps.push(
          { what: `${victim.name}: no call answered`, ms: outageMs },
          { what: `${victim.name}: back`, ms: awayMs },
        )
        firstMs ??= lossMs
        worstMs = Math.max(worstMs, outageMs)
      }
      return { lossMs: firstMs ?? 0, rtoMs: worstMs }
    })
    const notes = [`${failures} of ${calls} calls failed; the ledger has every one that was answered`]
    return { rtoMs, rpoMs, steps, notes: rpoMs === 0 ? notes : ['the ledger lacks calls that were answered'] }
  },
}
