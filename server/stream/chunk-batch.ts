/** What of a stream is judged at once: strings of chunks that came as a whole, and texts that go on, on what is final. */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import { allFindings } from '../pipeline/enforce.ts'
import type { JsonObject } from '../protocol/stream-chunk.ts'
import { type DueText, dueSegment, type HeldTexts, settleText } from './held-text.ts'
import type { Settled } from './release-window.ts'
import type { WholeField, WholeFields } from './whole-field.ts'

/** The chunks of a batch, and what is to be judged in them and in the held texts. */
export type Batch = Readonly<{
  chunks: readonly JsonObject[]
  wholeFields: readonly WholeField[]
  due: readonly DueText[]
}>

/** Returns the call that is evaluated for a batch. `request` provides its identity. */
export function batchCall(request: Call, { chunks, wholeFields, due }: Batch): Call {
  const segments = [...due.map(dueSegment), ...wholeFields.map(({ segment }) => segment)]
  const bodyBytes = segments.reduce((sum, { text }) => sum + text.length, 0)
  return { ...request, stage: 'response', body: chunks, bodyBytes, segments }
}

/** What of a batch can no longer change: outcomes with final findings only, and of each due text what is settled. */
export type SettledBatch = Readonly<{
  outcomes: readonly StepOutcome[]
  texts: ReadonlyMap<string, Settled>
  /** Strings outside the choices that begin like a secret and are none: they do not leave. */
  incomplete: readonly Finding[]
}>

/** The kind of an incomplete string; it stands in its mark. */
export const INCOMPLETE = 'incomplete'

/**
 * Given the outcomes of the steps over a batch, drops findings that may still change. A text that never settles is an
 * outcome of its own, and so is a queue that is full (`isOverfull`).
 */
export function settleBatch(
  { due, wholeFields }: Batch,
  texts: HeldTexts,
  fields: WholeFields,
  outcomes: readonly StepOutcome[],
  isOverfull: boolean,
): SettledBatch {
  const found = Map.groupBy(allFindings(outcomes), ({ pointer }) => pointer)
  const settled = new Map(due.map(({ pointer }) => [pointer, settleText(texts, pointer, found.get(pointer) ?? [])]))
  const begun = wholeFields.filter((one) => !found.has(one.segment.pointer) && fields.isIncomplete(one))
  const repeats = fields.endBatch(
    wholeFields,
    new Set([...found.keys(), ...begun.map(({ segment }) => segment.pointer)]),
  )
  const pointersOf = (pointer: string): readonly string[] => [pointer, ...(repeats.get(pointer) ?? [])]
  const incomplete = begun.flatMap(({ segment: { pointer, text } }) =>
    pointersOf(pointer).map((one): Finding => ({ ...INCOMPLETE_FINDING, pointer: one, span: [0, text.length] })),
  )
  const earlierChars = new Map(wholeFields.map(({ segment, earlierChars: chars }) => [segment.pointer, chars]))
  const wholeFindings = (finding: Finding): readonly Finding[] => {
    const earlier = earlierChars.get(finding.pointer)
    if (earlier === undefined) return []
    const [start, end] = [Math.max(0, finding.span[0] - earlier), finding.span[1] - earlier]
    if (end <= start) return []
    return pointersOf(finding.pointer).map((pointer) => ({ ...finding, pointer, span: [start, end] }))
  }
  const finalFindings = (finding: Finding): readonly Finding[] => {
    const text = settled.get(finding.pointer)
    const final = text?.finalOf.get(finding)
    return text === undefined ? wholeFindings(finding) : final === undefined ? [] : [final]
  }
  const kept = outcomes.map((outcome) =>
    outcome.status === 'done' ? { ...outcome, findings: outcome.findings.flatMap(finalFindings) } : outcome,
  )
  const isFull = isOverfull || [...settled.values()].some(({ status }) => status === 'overfull')
  return { outcomes: isFull ? [...kept, OVERFULL] : kept, texts: settled, incomplete }
}

const INCOMPLETE_FINDING = { kind: INCOMPLETE, severity: 'low', confidence: 1 } as const

const OVERFULL: StepOutcome = { step: 'stream_window', ms: 0, status: 'failed', reason: 'overfull' }
