/** A detector. It only observes: it can neither block nor edit, so steps run in any order. */
import type { Call, Stage } from './call.ts'
import type { Finding } from './finding.ts'
import type { RateLimiter } from './ports.ts'

/**
 * Returns the smallest index at which a match may begin, end elsewhere or go away once more text follows; the text's
 * length when there is none. What is farther from the end than the step's reach is not asked about.
 */
export type PendingFrom = (text: string) => number

/** What a step may use besides the call; everything that differs from run to run enters here. */
export type StepContext = Readonly<{
  nowMs: number
  limiter: Pick<RateLimiter, 'take'>
  limits: Readonly<{ callsMax: number; windowMs: number; bodyBytesMax: number }>
}>

/**
 * `position` is the step's stable identity (server/steps is a set; order in the record follows position).
 * `inspect` returns what it noticed and throws only when it could not look.
 * `matchCharsMax`, which a step with the stage 'response' must give, is the longest text that one of its matches can span:
 * in a stream that many characters are held back, so that nothing leaves that a running match can still reach.
 * `isCacheable`: what it finds in a message (an item of `messages` or `tools`, or the rest of the body) depends on the segments
 * of that message alone, and it answers at once; it is then not asked again about a message that it has seen.
 * `isGate`: it is asked before the others, and they are not asked at all about a call that it refuses or fails on.
 * `pendingFrom` says more exactly where within its reach a match may be running; without it, it may anywhere.
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

/** Why a step was not asked: a gate had refused the call already. The policy knows this word. */
export const GATE_REFUSED = 'refused_before'

/** How a step ended. A failed step is a value that the policy judges; it is never mistaken for "found nothing". */
export type StepOutcome = Readonly<{ step: string; ms: number }> &
  (
    | Readonly<{ status: 'done'; findings: readonly Finding[] }>
    | Readonly<{ status: 'failed'; reason: string }>
    | Readonly<{ status: 'skipped'; reason: string }>
  )
