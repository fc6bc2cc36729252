/** What taints the session of a call before it is judged. */
import type { Call } from '../core/call.ts'
import type { StepOutcome } from '../core/step.ts'
import type { Gateway } from './gateway.ts'
import { failedOutcome } from './step-run.ts'

/** The families that taint the session, and an outcome when nobody can tell: the policy refuses on it. */
export type KnownTaint = Readonly<{ taint: readonly string[]; failure?: StepOutcome }>

/** The outcome that says so is of this name. */
const STEP = 'session_taint'

const UNTAINTED: KnownTaint = { taint: [] }

/**
 * Returns what taints the session. It is asked for once, for the request; a session that has just begun is not asked about.
 * Never rejects, so that it may be awaited later.
 */
export function knownTaint({ ports }: Pick<Gateway, 'ports'>, call: Call): KnownTaint | Promise<KnownTaint> {
  const { taint, session, agent } = call
  if (taint !== undefined) return taint.length === 0 ? UNTAINTED : { taint }
  if (session === undefined) return UNTAINTED
  const startMs = ports.clock.elapsedMs()
  return ports.taints.of(agent.uuid, session).then(
    (known) => ({ taint: known }),
    (cause: unknown) => ({ taint: [], failure: failedOutcome(STEP, ports.clock.elapsedMs() - startMs, cause) }),
  )
}
