/** What a run on a host tells while it goes: the versioned events behind all three renderers and `--json`. */
import type { ExitCode } from '../core/exit-code.ts'
import type { FailureText } from '../core/failure.ts'
import type { Health } from './host-health.ts'

/** Rises when a field changes its meaning or goes away; new events and fields may come at any time. */
export const EVENT_VERSION = 1

/** One change of a plan as it is shown. */
export type ShownChange = Readonly<{ resource: string; does: string; because: string; diff?: string }>

/** How a step failed: the command, its exit code, the last lines it said, and the journal of the unit it was about. */
export type StepFailure = Readonly<{
  resource: string
  does: string
  command: string
  code: number
  said: readonly string[]
  journal?: Readonly<{ unit: string; lines: readonly string[] }>
  next: string
}>

/** How a run ended. */
export type Outcome =
  | 'as-wanted'
  | 'pending'
  | 'declined'
  | 'refused'
  | 'locked'
  | 'failed'
  | 'interrupted'
  | 'unreachable'
  | 'unwell'

/** What happened. `step` counts from 1 to `steps`; times are whole milliseconds. */
export type Event =
  | Readonly<{ event: 'run-started'; verb: string }>
  | Readonly<{ event: 'settings'; source: string }>
  | Readonly<{ event: 'warning'; warning: FailureText }>
  | Readonly<{ event: 'refused'; reasons: readonly FailureText[] }>
  | Readonly<{ event: 'plan'; resources: number; changes: readonly ShownChange[] }>
  | Readonly<{ event: 'lock-taken-over'; owner: string; because: string }>
  | Readonly<{ event: 'step-started'; step: number; steps: number; resource: string; does: string; because: string }>
  | Readonly<{ event: 'command-started'; step: number; command: string }>
  | Readonly<{ event: 'said'; step: number; line: string }>
  | Readonly<{ event: 'step-finished'; step: number; steps: number; resource: string; isApplied: boolean; ms: number }>
  | Readonly<{ event: 'step-failed'; step: number; steps: number; failure: StepFailure }>
  | Readonly<{ event: 'secret'; id: string; value: string }>
  | (Readonly<{ event: 'health' }> & Health)
  | Readonly<{ event: 'error'; failure: FailureText }>
  | Readonly<{
      event: 'run-finished'
      outcome: Outcome
      exitCode: ExitCode
      applied: number
      remaining: number
      ms: number
      roundTrips: number
      next?: string
    }>

/** Hears what happens on one host. */
export type Tell = (event: Event) => void
