/**
 * One batch of a stream: chunks split into shells, held texts and atomic fields. Evaluates all of it at once, on what
 * is final.
 */
import type { Call, Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import { allFindings } from '../pipeline/enforce.ts'
import { type Evaluation, evaluate, type Gateway } from '../pipeline/judge.ts'
import { project } from '../protocol/projection.ts'
import { type ChunkShell, type JsonObject, splitChunk } from '../protocol/stream-chunk.ts'
import { appendDelta, type DueText, dueSegment, dueTexts, endTexts, type HeldTexts, settleText } from './held-text.ts'
import type { Settled } from './release-window.ts'

/** An atomic field, and in front of it what was sent at its pointer before: some clients join them. */
type AtomicField = Readonly<{ pointer: string; earlier: string; segment: Segment }>

/** Characters of earlier strings at a pointer that are scanned together with a new one. */
const EARLIER_CHARS_MAX = 4096

/** The atomic fields that were sent so far, by pointer. */
export type AtomicFields = Map<string, string>

/** The chunks of one read, and what is new in them. */
export type Batch = Readonly<{
  shells: readonly ChunkShell[]
  atomicFields: readonly AtomicField[]
  due: readonly DueText[]
}>

/**
 * Accepts parsed chunks, adds their texts to `texts`; undefined when one of them is not a chunk that can be
 * evaluated.
 */
export function acceptChunks(chunks: readonly unknown[], texts: HeldTexts, sent: AtomicFields): Batch | undefined {
  const shells: ChunkShell[] = []
  const atomicFields: AtomicField[] = []
  for (const chunk of chunks) {
    const parts = splitChunk(chunk)
    if (!parts?.deltas.every((delta) => appendDelta(texts, delta))) return undefined
    for (const segment of project(parts.shell.chunk)) {
      const earlier = sent.get(segment.pointer)
      if (earlier === segment.text) continue
      const pointer = `/${shells.length}${segment.pointer}`
      const joined = (earlier ?? '').slice(-EARLIER_CHARS_MAX)
      atomicFields.push({ pointer, earlier: joined, segment: { ...segment, pointer, text: joined + segment.text } })
      sent.set(segment.pointer, earlier === undefined ? segment.text : joined + segment.text)
    }
    for (const choice of parts.shell.ended) endTexts(texts, choice)
    shells.push(parts.shell)
  }
  return { shells, atomicFields, due: dueTexts(texts) }
}

/** An evaluation of a batch, and of each due text what is settled. */
export type BatchEvaluation = Evaluation & Readonly<{ settled: ReadonlyMap<string, Settled>; call: Call }>

/** Evaluates a batch on what in it can no longer change. `request` provides the identity of the call. */
export async function evaluateBatch(
  gateway: Gateway,
  request: Call,
  batch: Batch,
  texts: HeldTexts,
): Promise<BatchEvaluation> {
  const segments = [...batch.due.map(dueSegment), ...batch.atomicFields.map(({ segment }) => segment)]
  const body: readonly JsonObject[] = batch.shells.map(({ chunk }) => chunk)
  const bodyBytes = segments.reduce((sum, { text }) => sum + text.length, 0)
  const call: Call = { ...request, stage: 'response', body, bodyBytes, segments }
  const settled = new Map<string, Settled>()
  const evaluation = await evaluate(gateway, call, (outcomes) => sift(outcomes, batch, texts, settled))
  return { ...evaluation, settled, call }
}

/** Drops findings that may still change, and adds an outcome for a text that never settles. */
function sift(
  outcomes: readonly StepOutcome[],
  { due, atomicFields }: Batch,
  texts: HeldTexts,
  settled: Map<string, Settled>,
): readonly StepOutcome[] {
  const found = allFindings(outcomes)
  const final = new Set<Finding>()
  for (const { pointer } of due) {
    const text = settleText(
      texts,
      pointer,
      found.filter((finding) => finding.pointer === pointer),
    )
    settled.set(pointer, text)
    for (const finding of text.findings) final.add(finding)
  }
  const earlierChars = new Map(atomicFields.map(({ pointer, earlier }) => [pointer, earlier.length]))
  const keep = (finding: Finding): readonly Finding[] => {
    const earlier = earlierChars.get(finding.pointer)
    if (earlier === undefined) return final.has(finding) ? [finding] : []
    const [start, end] = [Math.max(0, finding.span[0] - earlier), finding.span[1] - earlier]
    return end > start ? [{ ...finding, span: [start, end] }] : []
  }
  const kept = outcomes.map((outcome) =>
    outcome.status === 'done' ? { ...outcome, findings: outcome.findings.flatMap(keep) } : outcome,
  )
  const isOverfull = [...settled.values()].some(({ status }) => status === 'overfull')
  return isOverfull ? [...kept, { step: 'stream_window', ms: 0, status: 'failed', reason: 'overfull' }] : kept
}
