/** The events of a run on a host: versioned, shown by all three renderers and printed by `--json`. */
import type { ExitCode } from '../../contract/exit-code.ts'
import type { FailureText } from '../core/failure.ts'
import type { Generation, History } from '../history/entry.ts'
import type { FileBlame } from '../history/file-history.ts'
import type { GenerationRecord } from '../history/generation-view.ts'
import type { DriftRecord } from './drift-record.ts'
import type { ListedDrill } from './drill-table.ts'
import type { Health } from './host-health.ts'
import type { SecretState } from './secret-table.ts'

/** Rises when a field changes its meaning or is removed; new events and fields may be added at any time. */
export const EVENT_VERSION = 3

/** A change of a plan, without its commands. */
export type PlannedChange = Readonly<{ role?: string; resource: string; action: string; reason: string; diff?: string }>

/** How a step failed: the command, its exit code, the last lines of its output, and the journal of the unit that it started. */
export type StepFailure = Readonly<{
  resource: string
  action: string
  command: string
  code: number
  output: readonly string[]
  journal?: Readonly<{ unit: string; lines: readonly string[] }>
  next: string
  /** The change was guarded, and what was there before is in force again. */
  isPutBack?: true
}>

/** How a run on a host ended. */
export type Outcome =
  | 'up-to-date'
  | 'pending'
  | 'declined'
  | 'refused'
  | 'locked'
  | 'failed'
  | 'rolled-back'
  | 'interrupted'
  | 'not-begun'
  | 'unreachable'
  | 'unhealthy'
  | 'not-installed'
  | 'shown'
  | 'well'

/** What a check of `doctor` found: `detail` when it is well, `reason` when it is skipped, `reason` and `remedy` otherwise. */
export type CheckResult = Readonly<{
  id: string
  what: string
  status: 'ok' | 'skipped' | 'warn' | 'fail'
  detail?: string
  reason?: string
  remedy?: string
}>

/** A release on a host; `schema` is its newest migration, `obstacle` why the host can't be brought to it. */
export type ListedRelease = Readonly<{
  version: string
  isCurrent: boolean
  instances: readonly string[]
  accepted?: Readonly<{ at: string; by: string; run: number }>
  schema: string
  obstacle?: string
}>

/** A migration, and when it is run beside a release: before it, or (`contract`) after its acceptance. */
export type MoveMigration = Readonly<{ file: string; phase: 'expand' | 'contract' | null }>

/**
 * What a move to another release will do. `path` are the versions that it goes through; `waiting` are migrations that are run when the release is accepted;
 * `restarts` are instances; `inFlight` are calls at this moment; `expectedSeconds` is from that many earlier `runs`. `isReturnPossible`: the release before starts on the new schema.
 */
export type ReleaseMove = Readonly<{
  from: string | null
  to: string
  path: readonly string[]
  migrations: readonly MoveMigration[]
  waiting: readonly MoveMigration[]
  restarts: readonly string[]
  inFlight: number | null
  soakSeconds: number
  expectedSeconds: number | null
  runs: number
  isReturnPossible: boolean
}>

/** What stays on a host that was uninstalled, and why. */
export type LeftBehind = Readonly<{ what: string; why: string }>

/** Where the ingress has to answer from outside before a change is confirmed, what its certificate has to be, and within how many seconds. */
export type OutsideExpectation = Readonly<{
  host: string
  port: number
  isFitting: boolean
  isTrusted: boolean
  seconds: number
}>

/** An event; none holds a secret. `step` counts from 1 to `steps`; times are whole milliseconds. `unhealthy` names units, and `gateway` with its status. */
export type Event =
  | Readonly<{ event: 'run-started'; verb: string }>
  | Readonly<{ event: 'settings'; source: string }>
  | Readonly<{ event: 'warning'; warning: FailureText }>
  | Readonly<{ event: 'refused'; reasons: readonly FailureText[] }>
  | Readonly<{ event: 'plan'; resources: number; changes: readonly PlannedChange[] }>
  | Readonly<{ event: 'lock-taken-over'; owner: string; reason: string }>
  | Readonly<{ event: 'handed-over'; unit: string; next: string }>
  | Readonly<{
      event: 'confirmation-awaited'
      step: number
      seconds: number
      change: string
      outside?: OutsideExpectation
    }>
  | Readonly<{ event: 'step-started'; step: number; steps: number; resource: string; action: string; reason: string }>
  | Readonly<{ event: 'command-started'; step: number; command: string }>
  | Readonly<{ event: 'output'; step: number; line: string }>
  | Readonly<{ event: 'step-finished'; step: number; steps: number; resource: string; isApplied: boolean; ms: number }>
  | Readonly<{ event: 'step-failed'; step: number; steps: number; failure: StepFailure }>
  | Readonly<{ event: 'secret'; id: string; next: string }>
  | Readonly<{ event: 'secrets'; secrets: readonly SecretState[] }>
  | (Readonly<{ event: 'health' }> & Health)
  | (Readonly<{ event: 'history' }> & History)
  | (Readonly<{ event: 'generation' }> &
      Generation &
      Omit<GenerationRecord, 'end'> &
      Readonly<{ done: GenerationRecord['end'] }>)
  | (Readonly<{ event: 'lines' }> & FileBlame)
  | Readonly<{ event: 'checks'; counts: Readonly<Record<string, number>>; checks: readonly CheckResult[] }>
  | (Readonly<{ event: 'drift'; resources: number }> & DriftRecord)
  | (Readonly<{ event: 'backups' }> & Readonly<Record<'backups' | 'bases' | 'earlier', readonly unknown[]>>)
  | Readonly<{ event: 'set-fetched'; set: string; takenAt: string; release: string }>
  | Readonly<{ event: 'drills'; drills: readonly ListedDrill[] }>
  | (Readonly<{ event: 'drill' }> & Readonly<Record<string, unknown>>)
  | Readonly<{ event: 'left'; left: readonly LeftBehind[] }>
  | Readonly<{ event: 'log'; loggedAt: string; unit: string; priority: number; message: string }>
  | Readonly<{ event: 'releases'; releases: readonly ListedRelease[] }>
  | (Readonly<{ event: 'release-move' }> & ReleaseMove)
  | Readonly<{ event: 'soak'; seconds: number }>
  | Readonly<{ event: 'error'; failure: FailureText }>
  | Readonly<{
      event: 'run-finished'
      outcome: Outcome
      exitCode: ExitCode
      applied: number
      remaining: number
      ms: number
      roundTrips: number
      unhealthy?: readonly string[]
      next?: string
    }>

/** Receives the events of one host. */
export type Emit = (event: Event, at?: string) => void
