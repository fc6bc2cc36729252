/** What systemd is told about the process: what its start waits for, that it serves, and what has failed since. */
import { SERVING } from '../../contract/unit.ts'
import type { Notify } from '../adapters/systemd.ts'
import type { Clock } from '../core/ports.ts'

/** The dependencies that do not answer, by name; empty when all do. */
export type MissingDependencies = () => Promise<readonly string[]>

/** How long a start may take from each message on. The unit's TimeoutStartSec holds for a process that sends none. */
const EXTENSION_MS = 30_000

/** A dependency that is there within this time is not worth a word. */
const SILENT_MS = 500

/** Between two looks: at first Redis is just being connected to, later something has to be started. */
const POLL_MS_MIN = 20
const POLL_MS_MAX = 1000

/**
 * Resolves when no dependency is missing, however long that takes: a unit that says READY is one that can serve. Meanwhile the status
 * says what it waits for, and the start may take longer. `onWait` is called when what is waited for has changed.
 */
export async function waitForDependencies(
  missing: MissingDependencies,
  notify: Notify | undefined,
  onWait: (names: readonly string[]) => void,
  clock: Clock,
): Promise<void> {
  const startMs = clock.elapsedMs()
  let reported = ''
  for (let pollMs = POLL_MS_MIN; ; pollMs = Math.min(2 * pollMs, POLL_MS_MAX)) {
    const names = await missing()
    if (names.length === 0) return
    const text = names.join(', ')
    if (clock.elapsedMs() - startMs >= SILENT_MS) {
      if (text !== reported) onWait(names)
      reported = text
      // Not being heard is no reason to give up: systemd would end the start by itself.
      await notify?.(`EXTEND_TIMEOUT_USEC=${EXTENSION_MS * 1000}\nSTATUS=waiting for ${text}`).catch(() => {})
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

/** How often a serving process looks at its dependencies. Whoever asks systemd gets an answer that is this old at most. */
const WATCH_MS = 1000

/** The first time sooner: whoever brings this instance into force waits to see whether it goes on serving. */
const FIRST_WATCH_MS = 200

/** The status of a process that serves; `contract/unit.ts` names its first word. The figures are for people and for whoever watches a new release. */
export function servingStatus(url: string, { inFlight, calls, failed }: Figures = NO_CALLS): string {
  return `STATUS=${SERVING} ${url}; ${inFlight} in flight, ${calls} calls, ${failed} failed`
}

/** Of the calls of a process: those that it has in hand, all, and those that failed by its own fault. */
export type Figures = Readonly<{ inFlight: number; calls: number; failed: number }>

const NO_CALLS: Figures = { inFlight: 0, calls: 0, failed: 0 }

/** How often figures alone are told. */
const FIGURES_MS = 2000

/** Says in the status when dependencies fail, when all are back, and how many calls there were, until `isOver`. */
export function watchDependencies(
  missing: MissingDependencies,
  notify: Notify,
  {
    status: servingNow,
    isOver,
    clock,
  }: Readonly<{ status: () => string; isOver: () => boolean; clock: Pick<Clock, 'elapsedMs'> }>,
): void {
  let reported = ''
  let wasServing = true
  let reportedMs = clock.elapsedMs()
  const watch = async (): Promise<void> => {
    // A question that fails is an answer, too.
    const names = await missing().catch(() => ['health'])
    if (isOver()) return
    const isServing = names.length === 0
    const status = isServing ? servingNow() : `STATUS=unhealthy: ${names.join(', ')}`
    const isDue = isServing !== wasServing || !isServing || clock.elapsedMs() - reportedMs >= FIGURES_MS
    // Not heard, it is reported again the next time.
    if (isDue && status !== reported && (await isSent(notify(status)))) {
      reported = status
      wasServing = isServing
      reportedMs = clock.elapsedMs()
    }
    setTimeout(watch, WATCH_MS).unref()
  }
  setTimeout(watch, FIRST_WATCH_MS).unref()
}

function isSent(sending: Promise<void>): Promise<boolean> {
  return sending.then(
    () => true,
    () => false,
  )
}

/** A probe that failed is not made again and again: each one is an entry in the ledger. */
const PROBE_MS = 10_000

/** Returns what asks whether a governed call gets through, as a missing dependency; `probe` gives what is wrong with one. */
export function probeAsDependency(
  probe: () => Promise<string | undefined>,
  clock: Pick<Clock, 'elapsedMs'>,
): MissingDependencies {
  let failure: string | undefined
  let nextMs = 0
  return async () => {
    if (clock.elapsedMs() >= nextMs) {
      failure = await probe().catch((error: Error) => error.message)
      nextMs = clock.elapsedMs() + PROBE_MS
    }
    return failure === undefined ? [] : [`a governed call (${failure})`]
  }
}
