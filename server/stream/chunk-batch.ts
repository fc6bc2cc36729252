/**
 * One batch of a stream: chunks split into shells, held texts and atomic fields. All of it is evaluated at once, on
 * what is final.
 */
import type { Call, Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { StepOutcome } from '../core/step.ts'
import { allFindings } from '../pipeline/enforce.ts'
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

/** The batch after the last read: what is still held, now that nothing more comes. */
export function finalBatch(texts: HeldTexts): Batch {
  endTexts(texts)
  return { shells: [], atomicFields: [], due: dueTexts(texts) }
}

/** Returns the call that is evaluated for a batch. `request` provides its identity. */
export function batchCall(request: Call, { shells, atomicFields, due }: Batch): Call {
  const segments = [...due.map(dueSegment), ...atomicFields.map(({ segment }) => segment)]
  const body: readonly JsonObject[] = shells.map(({ chunk }) => chunk)
  const bodyBytes = segments.reduce((sum, { text }) => sum + text.length, 0)
  return { ...request, stage: 'response', body, bodyBytes, segments }
}

/** What of a batch can no longer change: outcomes with final findings only, and of each due text what is settled. */
export type SettledBatch = Readonly<{
  outcomes: readonly StepOutcome[]
  texts: ReadonlyMap<string, Settled>
}>

/**
 * Given the outcomes of the steps over a batch, drops findings that may still change. A text that never settles is an
 * outcome of its own.
 */
export function settleBatch(
  { due, atomicFields }: Batch,
  texts: HeldTexts,
  outcomes: readonly StepOutcome[],
): SettledBatch {
  const found = Map.groupBy(allFindings(outcomes), ({ pointer }) => pointer)
  const settled = new Map(due.map(({ pointer }) => [pointer, settleText(texts, pointer, found.get(pointer) ?? [])]))
  const final = new Set([...settled.values()].flatMap(({ findings }) => findings))
  const earlierChars = new Map(atomicFields.map(({ pointer, earlier }) => [pointer, earlier.length]))
  const finalFindings = (finding: Finding): readonly Finding[] => {
    const earlier = earlierChars.get(finding.pointer)
    if (earlier === undefined) return final.has(finding) ? [finding] : []
    const [start, end] = [Math.max(0, finding.span[0] - earlier), finding.span[1] - earlier]
    return end > start ? [{ ...finding, span: [start, end] }] : []
  }
  const kept = outcomes.map((outcome) =>
    outcome.status === 'done' ? { ...outcome, findings: outcome.findings.flatMap(finalFindings) } : outcome,
  )
  const isOverfull = [...settled.values()].some(({ status }) => status === 'overfull')
  return { outcomes: isOverfull ? [...kept, OVERFULL] : kept, texts: settled }
}

const OVERFULL: StepOutcome = { step: 'stream_window', ms: 0, status: 'failed', reason: 'overfull' }
