/** The state of one streamed response: what has arrived, what has left, and what is recorded. */
import { createHash, type Hash } from 'node:crypto'
import type { Call } from '../core/call.ts'
import type { Step } from '../core/step.ts'
import { pendingFromSteps } from '../detection/pending-match.ts'
import { saltOf } from '../ledger/entry-builder.ts'
import type { Evaluation, Gateway } from '../pipeline/judge.ts'
import type { JsonObject } from '../protocol/stream-chunk.ts'
import type { AtomicFields } from './chunk-batch.ts'
import { createHeldTexts, type HeldTexts } from './held-text.ts'

/** A stream in progress. `isOpen`: its first entry is in the ledger. `hasEnded`: nothing more is sent or recorded. */
export type StreamState = {
  readonly gateway: Gateway
  readonly request: Call
  readonly signal: AbortSignal
  readonly texts: HeldTexts
  readonly sentFields: AtomicFields
  /** Choices that have begun, and whether they have ended. */
  readonly choices: Map<number, boolean>
  readonly released: { bytes: number; events: number; readonly digest: Hash; readonly kinds: Map<string, number> }
  envelope: JsonObject
  classification: string
  judgements: number
  readonly redacted: Set<string>
  isOpen: boolean
  hasEnded: boolean
}

/** Creates the state. `requestDecision` is the decision about the request. */
export function createStreamState(
  gateway: Gateway,
  request: Call,
  requestDecision: Evaluation,
  signal: AbortSignal,
): StreamState {
  const steps = responseSteps(gateway)
  const matchCharsMax = Math.max(0, ...steps.map((step) => step.matchCharsMax ?? 0))
  return {
    gateway,
    request,
    signal,
    texts: createHeldTexts(matchCharsMax, pendingFromSteps(steps)),
    sentFields: new Map(),
    choices: new Map(),
    released: {
      bytes: 0,
      events: 0,
      digest: createHash('sha256').update(saltOf(gateway.commitmentKey, request.id)),
      kinds: new Map(),
    },
    redacted: new Set(),
    envelope: {},
    classification: requestDecision.verdict.classification,
    judgements: 0,
    isOpen: false,
    hasEnded: false,
  }
}

/** The steps of the stage 'response'. */
export function responseSteps({ steps }: Gateway): readonly Step[] {
  return steps.filter(({ stages }) => stages.includes('response'))
}
