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

/** The status of a process that serves; `contract/unit.ts` names its first word. */
export function servingStatus(url: string): string {
  return `STATUS=${SERVING} ${url}`
}

/** Says in the status when dependencies fail, and when all are back. */
export function watchDependencies(missing: MissingDependencies, notify: Notify, url: string): void {
  let reported = servingStatus(url)
  const timer = setInterval(async () => {
    const names = await missing()
    const status = names.length === 0 ? servingStatus(url) : `STATUS=unhealthy: ${names.join(', ')}`
    if (status === reported) return
    // Said again at the next look when it was not heard.
    await notify(status).then(
      () => {
        reported = status
      },
      () => {},
    )
  }, WATCH_MS)
  timer.unref()
}
