/** A step is a detector. It only observes: it can neither block nor edit, so steps run in any order. */
import type { Call, Stage } from './call.ts'
import type { Finding } from './finding.ts'
import type { RateLimiter } from './ports.ts'

/**
 * Returns the smallest index at which a match may start, end elsewhere or disappear once more text follows; the
 * text's length when there is none. Only the last `matchCharsMax` characters are considered.
 */
export type PendingFrom = (text: string) => number

/** What a step may use besides the call; all other inputs of a run are here. */
export type StepContext = Readonly<{
  nowMs: number
  limiter: Pick<RateLimiter, 'take'>
  limits: Readonly<{ callsMax: number; windowMs: number; bodyBytesMax: number }>
}>

/**
 * `position` is the step's stable identity (server/steps is a set; entries list steps by position). `inspect` returns
 * its findings and throws only when it could not look. `matchCharsMax`, which a step with the stage 'response' must
 * have, is the longest text that one of its matches can span: a stream holds back that many characters, so that
 * nothing leaves that a pending match can still include. `isCacheable`: the findings in a message (an item of
 * `messages` or `tools`, or the rest of the body) depend on the segments of that message alone, and `inspect` is
 * synchronous; it is then not run again on a message that it has seen. `isGate`: it runs before the others, and they
 * are skipped when it has a finding or fails. `pendingFrom` narrows down where within `matchCharsMax` a match may be
 * pending; without it, one may be anywhere.
 */
export type Step = Readonly<{
  name: string
  position: number
  category: string
  stages: readonly Stage[]
  timeoutMs: number
  isCacheable?: boolean
  isGate?: boolean
  matchCharsMax?: number
  pendingFrom?: PendingFrom
  inspect: (call: Call, context: StepContext) => readonly Finding[] | Promise<readonly Finding[]>
}>

/** Why a step was skipped: a gate had refused the call already. The policy knows this value. */
export const GATE_REFUSED = 'refused_before'

/** How a step ended. A failed step is a value that the policy decides on; it is never mistaken for "found nothing". */
export type StepOutcome = Readonly<{ step: string; ms: number }> &
  (
    | Readonly<{ status: 'done'; findings: readonly Finding[] }>
    | Readonly<{ status: 'failed'; reason: string }>
    | Readonly<{ status: 'skipped'; reason: string }>
  )
