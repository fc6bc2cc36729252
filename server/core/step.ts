/** A step is a detector. It only observes: it can neither block nor edit, so steps run in any order. */
import type { Call, Stage } from './call.ts'
import type { Finding } from './finding.ts'
import type { Allowance, RateLimiter } from './ports.ts'

/**
 * Returns the smallest index at which a match may start, end elsewhere or disappear once more text follows; the
 * text's length when there is none. Only the last `matchCharsMax` characters are considered. With 'begun' only matches
 * count whose keyword or first digit is there: what may turn out to be the start of a keyword, or a name before an `@`,
 * does not. With 'valued' it is where the value of a match begins that has a keyword: what follows the keyword and the
 * name, or stands before it.
 */
export type PendingFrom = (text: string, only?: PendingMatches) => number

/** Which of the pending matches count; all of them when it is not said. */
export type PendingMatches = 'begun' | 'valued'

/** What a remote step may use besides the call; all other inputs of a run are here. */
export type StepContext = Readonly<{
  nowMs: number
  limiter: Pick<RateLimiter, 'take'>
  limits: Readonly<{ callsMax: number; windowMs: number; bodyBytesMax: number }>
}>

/** What a local step may use besides the call. */
export type LocalContext = Pick<StepContext, 'limits'>

/**
 * What every step has. `position` is its stable identity (server/steps is a set; entries list steps by position).
 * `matchCharsMax`, which a step with the stage 'response' must have, is the longest text that one of its matches can
 * span: a stream holds back that many characters, so that nothing leaves that a pending match can still include.
 * `pendingFrom` narrows down where within `matchCharsMax` a match may be pending; without it, one may be anywhere.
 * `isGate`: it runs before the others, and they are skipped when it has a finding or fails.
 */
type StepProperties = Readonly<{
  name: string
  position: number
  category: string
  stages: readonly Stage[]
  isGate?: boolean
  matchCharsMax?: number
  pendingFrom?: PendingFrom
}>

/**
 * A step that computes: its findings depend on the call and the limits alone, and `inspect` returns them at once. It
 * throws only when it could not look. `isCacheable`: the findings in a message (an item of `messages` or `tools`, or
 * the rest of the body) depend on the segments of that message alone; it is then not run again on a message that it
 * has seen.
 */
export type LocalStep = StepProperties &
  Readonly<{
    timeoutMs?: never
    isCacheable?: boolean
    inspect: (call: Call, context: LocalContext) => readonly Finding[]
  }>

/** What a remote step found, and, of a gate that asked the limiter, the agent's remaining allowance. */
export type RemoteReport = Readonly<{ findings: readonly Finding[]; allowance?: Allowance }>

/** A step that waits for something, at most `timeoutMs`. `inspect` rejects only when it could not look. */
export type RemoteStep = StepProperties &
  Readonly<{
    timeoutMs: number
    isCacheable?: never
    inspect: (call: Call, context: StepContext) => Promise<RemoteReport>
  }>

/** A detector. One that has a timeout is remote. */
export type Step = LocalStep | RemoteStep

/** Why a step was skipped: a gate had refused the call already. The policy knows this value. */
export const GATE_REFUSED = 'refused_before'

/** How a step ended. A failed step is a value that the policy decides on; it is never mistaken for "found nothing". */
export type StepOutcome = Readonly<{ step: string; ms: number }> &
  (
    | Readonly<{ status: 'done'; findings: readonly Finding[] }>
    | Readonly<{ status: 'failed'; reason: string }>
    | Readonly<{ status: 'skipped'; reason: string }>
  )
