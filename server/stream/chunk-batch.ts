/**
 * What one arrival of a stream adds: chunks taken apart, texts behind their windows, and the strings that are sent as a
 * whole. Judges all of it at once, with what is final.
 */
import type { Call, Segment } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { Outcome } from '../core/step.ts'
import { allFindings } from '../pipeline/enforce.ts'
import { type Assessment, assess, type Gateway } from '../pipeline/judge.ts'
import { project } from '../protocol/projection.ts'
import { type Members, type Skeleton, takeApart } from '../protocol/stream-chunk.ts'
import { type Due, dueSegment, dueTexts, endTexts, grow, settleText, type Texts } from './held-text.ts'
import type { Settled } from './release-window.ts'

/** A whole string, and in front of it what was sent at its place before: some clients join them. */
type Whole = Readonly<{ pointer: string; before: string; segment: Segment }>

/** Characters of earlier strings at a place that are looked at together with a new one. */
const BEFORE_CHARS_MAX = 4096

/** What has been sent as a whole so far, by place. */
export type Wholes = Map<string, string>

/** Chunks of one arrival, and what in them is new. */
export type Batch = Readonly<{ skeletons: readonly Skeleton[]; wholes: readonly Whole[]; due: readonly Due[] }>

/** Takes parsed chunks in, adds their texts to `texts`; undefined when one of them is not a chunk that can be judged. */
export function takeIn(chunks: readonly unknown[], texts: Texts, sent: Wholes): Batch | undefined {
  const skeletons: Skeleton[] = []
  const wholes: Whole[] = []
  for (const chunk of chunks) {
    const parts = takeApart(chunk)
    if (!parts?.growths.every((growth) => grow(texts, growth))) return undefined
    for (const segment of project(parts.skeleton.chunk)) {
      const before = sent.get(segment.pointer)
      if (before === segment.text) continue
      const pointer = `/${skeletons.length}${segment.pointer}`
      const joined = (before ?? '').slice(-BEFORE_CHARS_MAX)
      wholes.push({ pointer, before: joined, segment: { ...segment, pointer, text: joined + segment.text } })
      sent.set(segment.pointer, before === undefined ? segment.text : joined + segment.text)
    }
    for (const choice of parts.skeleton.ended) endTexts(texts, choice)
    skeletons.push(parts.skeleton)
  }
  return { skeletons, wholes, due: dueTexts(texts) }
}

/** An assessment of a batch, and of each due text what is final. */
export type BatchAssessment = Assessment & Readonly<{ settled: ReadonlyMap<string, Settled>; call: Call }>

/** Judges a batch on what in it can no longer change. `request` gives the call its identity. */
export async function assessBatch(
  gateway: Gateway,
  request: Call,
  batch: Batch,
  texts: Texts,
): Promise<BatchAssessment> {
  const segments = [...batch.due.map(dueSegment), ...batch.wholes.map(({ segment }) => segment)]
  const body: readonly Members[] = batch.skeletons.map(({ chunk }) => chunk)
  const bodyBytes = segments.reduce((sum, { text }) => sum + text.length, 0)
  const call: Call = { ...request, stage: 'response', body, bodyBytes, segments }
  const settled = new Map<string, Settled>()
  const assessment = await assess(gateway, call, (outcomes) => sift(outcomes, batch, texts, settled))
  return { ...assessment, settled, call }
}

/** Leaves out findings that may still change, and adds an outcome for a text that never comes to rest. */
function sift(
  outcomes: readonly Outcome[],
  { due, wholes }: Batch,
  texts: Texts,
  settled: Map<string, Settled>,
): readonly Outcome[] {
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
  const befores = new Map(wholes.map(({ pointer, before }) => [pointer, before.length]))
  const keep = (finding: Finding): readonly Finding[] => {
    const before = befores.get(finding.pointer)
    if (before === undefined) return final.has(finding) ? [finding] : []
    const [start, end] = [Math.max(0, finding.span[0] - before), finding.span[1] - before]
    return end > start ? [{ ...finding, span: [start, end] }] : []
  }
  const sifted = outcomes.map((outcome) =>
    outcome.status === 'done' ? { ...outcome, findings: outcome.findings.flatMap(keep) } : outcome,
  )
  const isOverfull = [...settled.values()].some(({ status }) => status === 'overfull')
  return isOverfull ? [...sifted, { step: 'stream_window', ms: 0, status: 'failed', reason: 'overfull' }] : sifted
}
