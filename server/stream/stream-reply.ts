/**
 * A streamed response: read, held back, evaluated, recorded, released. Its first event leaves after an entry in the
 * ledger, its end after another one. An early end is sent to the client as an error event, and then there is no
 * `[DONE]`.
 */
import type { Call } from '../core/call.ts'
import type { UpstreamResponse } from '../core/ports.ts'
import { allFindings } from '../pipeline/enforce.ts'
import { appendDecision, countFinding, type Gateway, type RecordedDecision } from '../pipeline/judge.ts'
import { redact } from '../pipeline/redaction.ts'
import { allowanceHeaders, governanceHeaders, moreSensitive, type Reply } from '../pipeline/reply.ts'
import { formatEvent, readEvents, SseError } from '../protocol/sse.ts'
import { buildChunk, type ChunkShell, envelopeOf, type JsonObject } from '../protocol/stream-chunk.ts'
import { acceptChunks, type Batch, type BatchEvaluation, evaluateBatch } from './chunk-batch.ts'
import { dueTexts, endTexts, releaseText } from './held-text.ts'
import { endStream, failedEnd, type StreamEnd } from './stream-end.ts'
import { createStreamState, responseSteps, type StreamState } from './stream-state.ts'

/** Returns the reply whose chunks are the evaluated stream. `requestDecision` is the decision about the request. */
export function streamReply(
  gateway: Gateway,
  request: Call,
  requestDecision: RecordedDecision,
  response: UpstreamResponse,
  signal: AbortSignal,
): Reply {
  const state = createStreamState(gateway, request, requestDecision, signal)
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...governanceHeaders(requestDecision.verdict, [...requestDecision.outcomes, ...responseSteps(gateway)]),
    ...allowanceHeaders(requestDecision.allowance, false),
  }
  return { kind: 'stream', status: 200, headers, chunks: streamChunks(state, response.body) }
}

/** The evaluated stream. When the client disconnects, `finally` still records it. */
async function* streamChunks(state: StreamState, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const events = readEvents(bytes)
  try {
    for (;;) {
      const { text, end } = await processRead(state, await readNext(events))
      if (text !== '') yield text
      if (!end) continue
      const last = await endStream(state, end)
      if (last !== '') yield last
      return
    }
  } catch (cause) {
    yield await endStream(state, failedEnd('gateway.internal', cause))
    throw cause
  } finally {
    if (!state.hasEnded) await endStream(state, { kind: 'client_disconnected' })
    await events.return(undefined)
  }
}

/** Events of one read; the end of the stream; or its failure, which is a value here. */
type StreamRead =
  | Readonly<{ kind: 'events'; events: readonly string[] }>
  | Readonly<{ kind: 'end' }>
  | Readonly<{ kind: 'failed'; cause: unknown }>

async function readNext(events: AsyncIterator<readonly string[]>): Promise<StreamRead> {
  try {
    const next = await events.next()
    return next.done ? { kind: 'end' } : { kind: 'events', events: next.value }
  } catch (cause) {
    return { kind: 'failed', cause }
  }
}

type StreamStep = Readonly<{ text: string; end: StreamEnd | undefined }>

/** Returns what of the stream may leave after a read, and how it ends, if it does. */
async function processRead(state: StreamState, read: StreamRead): Promise<StreamStep> {
  if (state.signal.aborted) return { text: '', end: { kind: 'client_disconnected' } }
  if (read.kind === 'failed') {
    return ended(failedEnd(read.cause instanceof SseError ? 'upstream.malformed' : 'upstream.failed', read.cause))
  }
  if (read.kind === 'end') {
    const ends = [...state.choices.values()]
    return finishStream(state, ends.length > 0 && ends.every((isEnded) => isEnded))
  }
  const doneIndex = read.events.indexOf('[DONE]')
  const chunks = (doneIndex < 0 ? read.events : read.events.slice(0, doneIndex)).map(parseChunk)
  if (chunks.some((chunk) => chunk === undefined)) return ended(failedEnd('upstream.malformed'))
  if (chunks.some((chunk) => chunk?.['error'])) return ended(failedEnd('upstream.failed'))
  const batch = acceptChunks(chunks, state.texts, state.sentFields)
  if (!batch) return ended(failedEnd('upstream.malformed'))
  trackChoices(state, batch)
  const step = await processBatch(state, batch)
  if (step.end || doneIndex < 0) return step
  const rest = await finishStream(state, true)
  return { text: step.text + rest.text, end: rest.end }
}

function ended(end: StreamEnd): StreamStep {
  return { text: '', end }
}

/** Releases what is still held, once nothing more comes. `isComplete`: the model server ended it properly. */
async function finishStream(state: StreamState, isComplete: boolean): Promise<StreamStep> {
  endTexts(state.texts)
  const { text, end } = await processBatch(state, { shells: [], atomicFields: [], due: dueTexts(state.texts) })
  return { text, end: end ?? (isComplete ? { kind: 'done' } : failedEnd('upstream.failed')) }
}

/** Evaluates a batch, records the first one, and returns what of it may leave. */
async function processBatch(state: StreamState, batch: Batch): Promise<StreamStep> {
  const hasNoText = batch.due.length + batch.atomicFields.length === 0
  if (hasNoText && (state.isOpen || batch.shells.length === 0))
    return { text: writeChunks(state, batch.shells, []), end: undefined }
  const evaluation = await evaluateBatch(state.gateway, state.request, batch, state.texts)
  const { verdict, call } = evaluation
  state.judgements += 1
  state.classification = moreSensitive(state.classification, verdict.classification)
  if (verdict.action === 'block' || verdict.action === 'hold') return ended({ kind: 'refused', evaluation })
  if (!state.isOpen) {
    const appended = await appendDecision(state.gateway, call, evaluation, JSON.stringify(call.segments), {
      event: 'opened',
    })
    if (appended.status === 'unrecorded') return ended(failedEnd('ledger.unavailable', appended.cause))
    state.isOpen = true
  }
  return { text: renderSettled(state, batch, evaluation), end: undefined }
}

/** Returns the events of a batch that may leave, redacted as the verdict says. */
function renderSettled(
  state: StreamState,
  batch: Batch,
  { verdict, outcomes, call, settled }: BatchEvaluation,
): string {
  const kinds = verdict.action === 'redact' ? verdict.kinds : []
  for (const kind of kinds) state.redacted.add(kind)
  const found = allFindings(outcomes)
  const inAtomicFields = found.filter(({ pointer }) => !settled.has(pointer))
  const released = found.filter(({ pointer, span }) => span[1] <= (settled.get(pointer)?.releaseTo ?? Infinity))
  for (const { kind } of released) {
    state.released.kinds.set(kind, (state.released.kinds.get(kind) ?? 0) + 1)
    countFinding(state.gateway, kind)
  }
  const chunks = redact(call.body, inAtomicFields, kinds) as readonly JsonObject[]
  const shells = batch.shells.map((shell, index) => ({ ...shell, chunk: chunks[index] ?? shell.chunk }))
  state.envelope = envelopeOf(chunks.at(-1) ?? state.envelope)
  const texts: JsonObject[] = []
  for (const [pointer, window] of settled) {
    const { delta, text } = releaseText(state.texts, pointer, window, kinds)
    if (text !== '') texts.push(buildChunk(state.envelope, delta, text))
  }
  return writeChunks(state, shells, texts)
}

/** Writes chunks in the order that clients expect: beginnings, texts, then what ends a choice or the whole. */
function writeChunks(state: StreamState, shells: readonly ChunkShell[], texts: readonly JsonObject[]): string {
  const isEnd = ({ chunk, ended }: ChunkShell): boolean => ended.length > 0 || (chunk['choices'] as []).length === 0
  const nonEmpty = shells.filter(({ isEmpty }) => !isEmpty)
  const bodies = [
    ...nonEmpty.filter((one) => !isEnd(one)).map(chunkOf),
    ...texts,
    ...nonEmpty.filter(isEnd).map(chunkOf),
  ]
  const text = bodies.map((body) => formatEvent(JSON.stringify(body))).join('')
  state.released.events += bodies.length
  state.released.bytes += Buffer.byteLength(text)
  state.released.digest.update(text)
  return text
}

function chunkOf({ chunk }: ChunkShell): JsonObject {
  return chunk
}

/** Tracks which choices have begun, and which have ended. */
function trackChoices(state: StreamState, { shells }: Batch): void {
  for (const { chunk, ended } of shells) {
    for (const { index } of chunk['choices'] as readonly { index?: number }[]) {
      state.choices.set(index ?? 0, (state.choices.get(index ?? 0) ?? false) || ended.includes(index ?? 0))
    }
  }
}

/** Returns a chunk, or undefined when the data is not a JSON object. */
function parseChunk(data: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}
