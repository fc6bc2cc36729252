/**
 * A streamed answer: read, held back, judged, recorded, released. Its first piece leaves after an entry in the ledger, its
 * end after another one. Whatever ends it early is told to the client as an error event, and then there is no `[DONE]`.
 */
import type { Call } from '../core/call.ts'
import type { UpstreamAnswer } from '../core/ports.ts'
import { allFindings } from '../pipeline/enforce.ts'
import { type Gateway, inscribe, type Judged, meterFinding } from '../pipeline/judge.ts'
import { redact } from '../pipeline/redaction.ts'
import { allowanceHeaders, governanceHeaders, moreSensitive, type Reply } from '../pipeline/reply.ts'
import { readEvents, SseError, sseEvent } from '../protocol/sse.ts'
import { compose, envelopeOf, type Members, type Skeleton } from '../protocol/stream-chunk.ts'
import { assessBatch, type Batch, type BatchAssessment, takeIn } from './chunk-batch.ts'
import { dueTexts, endTexts, releaseText } from './held-text.ts'
import { conclude, type Ending, failed } from './stream-end.ts'
import { type Flow, openFlow, responseSteps } from './stream-state.ts'

/** Gives the reply whose chunks are the judged stream. `asking` is the judgement of the request. */
export function streamAnswer(
  gateway: Gateway,
  request: Call,
  asking: Judged,
  from: UpstreamAnswer,
  signal: AbortSignal,
): Reply {
  const flow = openFlow(gateway, request, asking, signal)
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...governanceHeaders(asking.verdict, [...asking.outcomes, ...responseSteps(gateway)]),
    ...allowanceHeaders(asking.allowance, false),
  }
  return { kind: 'stream', status: 200, headers, chunks: run(flow, from.body) }
}

/** The judged stream. When the client goes away, `finally` still records it. */
async function* run(flow: Flow, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const events = readEvents(bytes)
  try {
    for (;;) {
      const { text, ending } = await advance(flow, await arrival(events))
      if (text !== '') yield text
      if (!ending) continue
      const last = await conclude(flow, ending)
      if (last !== '') yield last
      return
    }
  } catch (cause) {
    yield await conclude(flow, failed('gateway.internal', cause))
    throw cause
  } finally {
    if (!flow.isOver) await conclude(flow, { kind: 'gone' })
    await events.return(undefined)
  }
}

/** Events that came in together; the end of the stream; or its failure, which is a value here. */
type Arrival =
  | Readonly<{ kind: 'events'; events: readonly string[] }>
  | Readonly<{ kind: 'end' }>
  | Readonly<{ kind: 'broken'; cause: unknown }>

async function arrival(events: AsyncIterator<readonly string[]>): Promise<Arrival> {
  try {
    const next = await events.next()
    return next.done ? { kind: 'end' } : { kind: 'events', events: next.value }
  } catch (cause) {
    return { kind: 'broken', cause }
  }
}

type Advance = Readonly<{ text: string; ending: Ending | undefined }>

/** Gives what of the stream may leave after an arrival, and how it ends, if it does. */
async function advance(flow: Flow, came: Arrival): Promise<Advance> {
  if (flow.signal.aborted) return { text: '', ending: { kind: 'gone' } }
  if (came.kind === 'broken') {
    return over(failed(came.cause instanceof SseError ? 'upstream.malformed' : 'upstream.failed', came.cause))
  }
  if (came.kind === 'end') {
    const ends = [...flow.choices.values()]
    return finish(flow, ends.length > 0 && ends.every((isEnded) => isEnded))
  }
  const end = came.events.indexOf('[DONE]')
  const chunks = (end < 0 ? came.events : came.events.slice(0, end)).map(parse)
  if (chunks.some((chunk) => chunk === undefined)) return over(failed('upstream.malformed'))
  if (chunks.some((chunk) => chunk?.['error'])) return over(failed('upstream.failed'))
  const batch = takeIn(chunks, flow.texts, flow.sent)
  if (!batch) return over(failed('upstream.malformed'))
  noteChoices(flow, batch)
  const now = await release(flow, batch)
  if (now.ending || end < 0) return now
  const rest = await finish(flow, true)
  return { text: now.text + rest.text, ending: rest.ending }
}

const over = (ending: Ending): Advance => ({ text: '', ending })

/** Lets out what is still held, once nothing more comes. `isComplete`: the model server ended it on purpose. */
async function finish(flow: Flow, isComplete: boolean): Promise<Advance> {
  endTexts(flow.texts)
  const { text, ending } = await release(flow, { skeletons: [], wholes: [], due: dueTexts(flow.texts) })
  return { text, ending: ending ?? (isComplete ? { kind: 'done' } : failed('upstream.failed')) }
}

/** Judges a batch, records the first one, and gives what of it may leave. */
async function release(flow: Flow, batch: Batch): Promise<Advance> {
  const isQuiet = batch.due.length + batch.wholes.length === 0
  if (isQuiet && (flow.isOpen || batch.skeletons.length === 0))
    return { text: write(flow, batch.skeletons, []), ending: undefined }
  const assessment = await assessBatch(flow.gateway, flow.request, batch, flow.texts)
  const { verdict, call } = assessment
  flow.judgements += 1
  flow.classification = moreSensitive(flow.classification, verdict.classification)
  if (verdict.action === 'block' || verdict.action === 'hold') return over({ kind: 'refused', assessment })
  if (!flow.isOpen) {
    const opened = await inscribe(flow.gateway, call, assessment, JSON.stringify(call.segments), { event: 'opened' })
    if (opened.status === 'unrecorded') return over(failed('ledger.unavailable', opened.cause))
    flow.isOpen = true
  }
  return { text: settledText(flow, batch, assessment), ending: undefined }
}

/** Gives the events of a batch that may leave, with what the verdict takes out taken out. */
function settledText(flow: Flow, batch: Batch, { verdict, outcomes, call, settled }: BatchAssessment): string {
  const kinds = verdict.action === 'redact' ? verdict.kinds : []
  for (const kind of kinds) flow.redacted.add(kind)
  const found = allFindings(outcomes)
  const inWholes = found.filter(({ pointer }) => !settled.has(pointer))
  const leaving = found.filter(({ pointer, span }) => span[1] <= (settled.get(pointer)?.releaseTo ?? Infinity))
  for (const { kind } of leaving) {
    flow.released.kinds.set(kind, (flow.released.kinds.get(kind) ?? 0) + 1)
    meterFinding(flow.gateway.ports.meter, kind)
  }
  const chunks = redact(call.body, inWholes, kinds) as readonly Members[]
  const skeletons = batch.skeletons.map((skeleton, index) => ({ ...skeleton, chunk: chunks[index] ?? skeleton.chunk }))
  flow.envelope = envelopeOf(chunks.at(-1) ?? flow.envelope)
  const texts: Members[] = []
  for (const [pointer, window] of settled) {
    const { growth, text } = releaseText(flow.texts, pointer, window, kinds)
    if (text !== '') texts.push(compose(flow.envelope, growth, text))
  }
  return write(flow, skeletons, texts)
}

/** Writes chunks in the order that clients expect: beginnings, texts, then what ends a choice or the whole. */
function write(flow: Flow, skeletons: readonly Skeleton[], texts: readonly Members[]): string {
  const isEnd = ({ chunk, ended }: Skeleton): boolean => ended.length > 0 || (chunk['choices'] as []).length === 0
  const full = skeletons.filter(({ isEmpty }) => !isEmpty)
  const bodies = [...full.filter((one) => !isEnd(one)).map(chunkOf), ...texts, ...full.filter(isEnd).map(chunkOf)]
  const text = bodies.map((body) => sseEvent(JSON.stringify(body))).join('')
  flow.released.events += bodies.length
  flow.released.bytes += Buffer.byteLength(text)
  flow.released.digest.update(text)
  return text
}

const chunkOf = ({ chunk }: Skeleton): Members => chunk

/** Notes which choices have begun, and which have ended. */
function noteChoices(flow: Flow, { skeletons }: Batch): void {
  for (const { chunk, ended } of skeletons) {
    for (const { index } of chunk['choices'] as readonly { index?: number }[]) {
      flow.choices.set(index ?? 0, (flow.choices.get(index ?? 0) ?? false) || ended.includes(index ?? 0))
    }
  }
}

/** Gives a chunk, or undefined when the data are not a JSON object. */
function parse(data: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
  } catch {
    return undefined
  }
}
