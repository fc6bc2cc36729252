/** What a drill is: it does for real what a disaster needs, in a place of its own or where it is harmless, and is held to a goal. */
import type { Clock } from '../core/ports.ts'
import type { BackupHost } from '../recovery/backup-host.ts'

/** RTO: from the loss until a call is answered again. RPO: how old the oldest thing is that is gone. Whole milliseconds. */
export type Figures = Readonly<{ rtoMs: number; rpoMs: number }>

/** A part of a drill that took time. */
export type DrillStep = Readonly<{ what: string; ms: number }>

/** What a drill has measured. `notes` are what the figures do not say. */
export type DrillResult = Figures & Readonly<{ steps: readonly DrillStep[]; notes: readonly string[] }>

/** How a program has ended. */
export type ProgramEnd = Readonly<{ code: number; stdout: string; stderr: string }>

/** Runs a program of the host. Never throws for how it ends. */
export type RunProgram = (argv: readonly [string, ...string[]], input?: string) => Promise<ProgramEnd>

/** What a drill is given. `folder` is for its own files; what is left there goes before the next one. */
export type DrillContext = Readonly<{ host: BackupHost; folder: string; clock: Clock; run: RunProgram }>

/**
 * A drill; its file has its name. `touches`: whether calls of the service may notice it. One that touches nothing is done every month by a timer, in a
 * sandbox without a network; one that touches the service only when somebody has agreed to it, with `effect` in mind.
 */
export type Drill = Readonly<{
  name: string
  summary: string
  touches: 'nothing' | 'service'
  effect: string
  goal: Figures
  run: (context: DrillContext) => Promise<DrillResult>
}>

/** What the host does not have, so that there is nothing to be drilled. */
export class NotHere extends Error {}

/** Whether the figures are within the goal. */
export function isReached({ rtoMs, rpoMs }: Figures, goal: Figures): boolean {
  return rtoMs <= goal.rtoMs && rpoMs <= goal.rpoMs
}

/** Takes the time of steps, one after the other. */
export function createStopwatch({ elapsedMs }: Pick<Clock, 'elapsedMs'>) {
  const startMs = elapsedMs()
  const steps: DrillStep[] = []
  return {
    steps,
    totalMs: () => Math.round(elapsedMs() - startMs),
    time: async <Value>(what: string, work: () => Promise<Value>): Promise<Value> => {
      const beginMs = elapsedMs()
      const value = await work()
      steps.push({ what, ms: Math.round(elapsedMs() - beginMs) })
      return value
    },
  } as const
}

/** Runs a program that has to end well. Returns what it printed; throws with its last words. */
export async function demand(run: RunProgram, argv: readonly [string, ...string[]], input?: string): Promise<string> {
  const { code, stdout, stderr } = await run(argv, input)
  if (code === 0) return stdout.trim()
  throw new Error(`${argv.slice(0, 4).join(' ')} ended with ${code}: ${(stderr || stdout).trim().slice(-600)}`)
}
