/** What is asked of another thread about a large body, and what it answers. It crosses threads, so it is plain data. */
import type { Call, Segment, Stage } from './call.ts'
import type { Finding } from './finding.ts'
import type { QueueUse } from './ports.ts'
import type { StepContext, StepOutcome } from './step.ts'

/** A call holds more, or is deeper, than can be looked through. It would be no other the next time. */
export class InspectionError extends Error {
  override readonly name = 'InspectionError'
}

/** Too many calls wait to be looked through. Later it may be possible. */
export class OverloadError extends Error {
  override readonly name = 'OverloadError'
}

/** Looking through a call took longer than it may on a machine with other work. */
export class InspectionTimeout extends Error {
  override readonly name = 'InspectionTimeout'
}

/**
 * Which local steps are to look at a call: `gates` first, and `detectors` when each of these is done and found nothing.
 * The call has its `text`, or its `segments` when there is no text. `isTextWanted`: the segments come back with their texts.
 */
export type InspectionTask = Readonly<{
  call: Call
  gates: readonly string[]
  detectors: readonly string[]
  limits: StepContext['limits']
  isTextWanted: boolean
}>

/**
 * The outcomes, those of gates first, and what of the call is known now: see Call. Malformed: the text is no JSON object,
 * and no step has seen it.
 */
export type Inspection =
  | Readonly<{ status: 'malformed' }>
  | Readonly<{
      status: 'inspected'
      outcomes: readonly StepOutcome[]
      seen: Partial<Call>
    }>

/** A body whose findings of some kinds are to be taken out. */
export type RedactionTask = Readonly<{
  stage: Stage
  text: string
  findings: readonly Finding[]
  kinds: readonly string[]
}>

/** The text without them, and the model that it names. */
export type RedactedText = Readonly<{ text: string; model: unknown }>

/**
 * Other threads, in which large bodies are looked through, so that no other call waits for it. Both reject when the body
 * is more than can be looked through (InspectionError), when it took too long, and when too many wait (OverloadError).
 */
export type Inspector = Readonly<{
  inspect: (task: InspectionTask) => Promise<Inspection>
  redact: (task: RedactionTask) => Promise<RedactedText>
  close: () => Promise<void>
  /** What they look through, or what waits for that. */
  pending?: () => QueueUse
}>

/** The call as steps see it that look at its head only. */
export function withoutText(call: Call): Call {
  return { ...call, text: undefined, segments: [] }
}

/** A segment as it is kept beside findings. */
export function withoutOwnText({ pointer, author }: Segment): Segment {
  return { pointer, author, text: '' }
}
