/** The authority of identities and its agents crash: each is ended with SIGKILL under load. Calls go on, for they need none of them; agents get identities again. */
import { UNIT } from '../../contract/unit.ts'
import { underLoad } from '../drill/call-load.ts'
import { type Drill, type DrillStep, NotHere } from '../drill/drill.ts'
import { isRunning, killUnderLoad, processOf } from '../drill/service-unit.ts'

const VICTIMS = [
  processOf('SPIRE server', UNIT.spireServer),
  processOf('SPIRE agent', UNIT.spireAgent),
  processOf('spiffe-helper', UNIT.spiffeHelper),
]

/** See docs/how-to/drill.md. */
export const drill: Drill = {
  name: 'spire',
  summary: 'SPIRE’s server, its agent and spiffe-helper are ended with SIGKILL, one after the other',
  touches: 'service',
  effect: 'for some seconds no process gets a new identity; those that have one go on',
  goal: { rtoMs: 60_000, rpoMs: 0 },
  run: async (context) => {
    if (!(await isRunning(context, UNIT.spireAgent)))
      throw new NotHere('there are no identities here (identity in host.yaml)')
    const steps: DrillStep[] = []
    const { rtoMs, rpoMs, calls, failures } = await underLoad(context, async (load) => {
      let [firstMs, worstMs]: [number | undefined, number] = [undefined, 0]
      for (const victim of VICTIMS) {
        const { lossMs, outageMs, awayMs } = await killUnderLoad(context, victim, load)
        steps.push({ what: `${victim.name}: back`, ms: awayMs })
        firstMs ??= lossMs
        worstMs = Math.max(worstMs, outageMs, awayMs)
      }
      return { lossMs: firstMs ?? 0, rtoMs: worstMs }
    })
    return { rtoMs, rpoMs, steps, notes: [`${failures} of ${calls} calls failed`] }
  },
}
