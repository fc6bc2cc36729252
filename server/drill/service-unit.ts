/** Units of the service: which are there, how one is ended the hard way, and when it is back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type CallLoad, outageMs, quietMs } from './call-load.ts'
import { type DrillContext, demand } from './drill.ts'

const BACK_MS_MAX = 120_000
const LOOK_MS = 50

/** A process of the service that is ended: by the unit that starts it again, and by what ends it. */
export type Victim = Readonly<{ name: string; unit: string; kill: readonly [string, ...string[]] }>

/** The container of a unit, by SIGKILL. */
export function containerOf(name: string): Victim {
  return { name, unit: `tappass-${name}.service`, kill: ['docker', 'kill', `tappass-${name}`] }
}

/** The main process of a unit, by SIGKILL. */
export function processOf(name: string, unit: string): Victim {
  return { name, unit, kill: ['systemctl', 'kill', '--kill-whom=main', '--signal=SIGKILL', unit] }
}

async function stateOf({ run }: DrillContext, unit: string): Promise<Readonly<{ state: string; id: string }>> {
  const text = await demand(run, ['systemctl', 'show', '--property=ActiveState,InvocationID', unit])
  const property = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1] ?? ''
  return { state: property('ActiveState'), id: property('InvocationID') }
}

/** Whether the unit runs on this host. */
export async function isRunning(context: DrillContext, unit: string): Promise<boolean> {
  return (await stateOf(context, unit)).state === 'active'
}

/**
 * Ends a process under load, and waits until its unit runs anew and a call was answered since. Returns when that was, how long no call was answered (refused, or waiting), and how long the
 * unit was away. Throws when it is not back.
 */
export async function killUnderLoad(
  context: DrillContext,
  { name, unit, kill }: Victim,
  load: CallLoad,
): Promise<Readonly<{ lossMs: number; outageMs: number; awayMs: number }>> {
  const { clock, run } = context
  const before = await stateOf(context, unit)
  const lossMs = clock.elapsedMs()
  await demand(run, kill)
  let awayMs: number | undefined
  while (clock.elapsedMs() - lossMs < BACK_MS_MAX) {
    await sleep(LOOK_MS)
    const { state, id } = await stateOf(context, unit)
    if (awayMs === undefined && state === 'active' && id !== before.id) awayMs = clock.elapsedMs() - lossMs
    if (awayMs === undefined) continue
    // What was in hand when it was ended may take a moment to fail.
    await sleep(500)
    const backMs = lossMs + awayMs
    const outage = outageMs(load.samples, lossMs)
    const isAnswered = load.samples.some((each) => each.isAnswered && each.endMs >= backMs)
    if (outage !== undefined && isAnswered)
      return { lossMs, outageMs: Math.max(outage, quietMs(load.samples, lossMs)), awayMs: Math.round(awayMs) }
  }
  throw new Error(`${name} was ended and is not back after ${BACK_MS_MAX / 1000} s. next: tappass status`)
}
