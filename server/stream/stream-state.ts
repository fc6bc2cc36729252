/** The state of one streamed answer: what has come in, what has left, and how far its record has got. */
import { createHash, type Hash } from 'node:crypto'
import type { Call } from '../core/call.ts'
import type { Step } from '../core/step.ts'
import { stepsOpening } from '../detection/pending-match.ts'
import { saltOf } from '../ledger/entry-builder.ts'
import type { Assessment, Gateway } from '../pipeline/judge.ts'
import type { Members } from '../protocol/stream-chunk.ts'
import type { Wholes } from './chunk-batch.ts'
import { openTexts, type Texts } from './held-text.ts'

/** A stream under way. `isOpen`: its first entry is in the ledger. `isOver`: nothing more is said or recorded. */
export type Flow = {
  readonly gateway: Gateway
  readonly request: Call
  readonly signal: AbortSignal
  readonly texts: Texts
  readonly sent: Wholes
  /** Choices that have begun, and whether they have ended. */
  readonly choices: Map<number, boolean>
  readonly released: { bytes: number; events: number; readonly digest: Hash; readonly kinds: Map<string, number> }
  envelope: Members
  classification: string
  judgements: number
  readonly redacted: Set<string>
  isOpen: boolean
  isOver: boolean
}

/** Begins a stream. `asking` is the judgement of the request. */
export function openFlow(gateway: Gateway, request: Call, asking: Assessment, signal: AbortSignal): Flow {
  const steps = responseSteps(gateway)
  const reachChars = Math.max(0, ...steps.map((step) => step.reachChars ?? 0))
  return {
    gateway,
    request,
    signal,
    texts: openTexts(reachChars, stepsOpening(steps)),
    sent: new Map(),
    choices: new Map(),
    released: {
      bytes: 0,
      events: 0,
      digest: createHash('sha256').update(saltOf(gateway.commitmentKey, request.id)),
      kinds: new Map(),
    },
    redacted: new Set(),
    envelope: {},
    classification: asking.verdict.classification,
    judgements: 0,
    isOpen: false,
    isOver: false,
  }
}

/** The steps that look at answers. */
export function responseSteps({ steps }: Gateway): readonly Step[] {
  return steps.filter(({ stages }) => stages.includes('response'))
}
