/**
 * A streamed response: read, held back, judged in batches, recorded, released. Its first event leaves after an entry
 * in the ledger, its end after another one. An early end is sent to the client as an error event, and then there is no
 * `[DONE]`.
 */
import type { Call } from '../core/call.ts'
import type { UpstreamResponse } from '../core/ports.ts'
import type { Step } from '../core/step.ts'
import { pendingFromSteps } from '../detection/pending-match.ts'
import { saltOf } from '../ledger/entry-builder.ts'
import { type AppendResult, appendDecision, countFinding, type Decision } from '../pipeline/append.ts'
import { decide } from '../pipeline/decide.ts'
import { enforce } from '../pipeline/enforce.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import type { RecordedDecision } from '../pipeline/judge.ts'
import { allowanceHeaders, governanceHeaders, type Reply } from '../pipeline/reply.ts'
import { runSteps } from '../pipeline/step-runner.ts'
import { readEvents, SseError } from '../protocol/sse.ts'
import type { JsonObject } from '../protocol/stream-chunk.ts'
import { endStream, failedEnd, type StreamEnd } from './stream-end.ts'
import { StreamProgress } from './stream-progress.ts'
import { StreamState } from './stream-state.ts'

/** One stream: who judges it, the request that it answers, and its state. `signal` aborts when the client disconnects. */
type Stream = Readonly<{ gateway: Gateway; request: Call; signal: AbortSignal; state: StreamState }>

/** Returns the reply whose chunks are the judged stream. `requestDecision` is the decision about the request. */
export function streamReply(
  gateway: Gateway,
  request: Call,
  { verdict, outcomes, allowance }: RecordedDecision,
  response: UpstreamResponse,
  signal: AbortSignal,
): Reply {
  const steps = gateway.steps.filter(({ stages }) => stages.includes('response'))
  const progress = new StreamProgress(verdict.classification, saltOf(gateway.commitmentKey, request.id))
  const state = new StreamState(request, longestMatch(steps), pendingFromSteps(steps), progress)
  const headers = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
    ...governanceHeaders(verdict, [...outcomes, ...steps]),
    ...allowanceHeaders(allowance, false),
  }
  const chunks = streamChunks({ gateway, request, signal, state }, response.body)
  return { kind: 'stream', status: 200, headers, chunks }
}

function longestMatch(steps: readonly Step[]): number {
  return Math.max(0, ...steps.map(({ matchCharsMax = 0 }) => matchCharsMax))
}

/** The judged stream. When the client disconnects, `finally` still records it. */
async function* streamChunks(stream: Stream, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const events = readEvents(bytes)
  let hasEnded = false
  const endWith = (end: StreamEnd): Promise<string> => {
    hasEnded = true
    return endStream(stream.gateway, stream.request, stream.state.progress, end)
  }
  try {
    for (;;) {
      const { text, end } = await processRead(stream, await readNext(events))
      if (text !== '') yield text
      if (!end) continue
      const last = await endWith(end)
      if (last !== '') yield last
      return
    }
  } catch (cause) {
    yield await endWith(failedEnd('gateway.internal', cause))
    throw cause
  } finally {
    if (!hasEnded) await endWith({ kind: 'client_disconnected' })
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
async function processRead(stream: Stream, read: StreamRead): Promise<StreamStep> {
  const { state, signal } = stream
  if (signal.aborted) return ended({ kind: 'client_disconnected' })
  if (read.kind === 'failed') {
    return ended(failedEnd(read.cause instanceof SseError ? 'upstream.malformed' : 'upstream.failed', read.cause))
  }
  if (read.kind === 'end') return finishStream(stream, state.hasEnded())
  const doneIndex = read.events.indexOf('[DONE]')
  const chunks = (doneIndex < 0 ? read.events : read.events.slice(0, doneIndex)).map(parseChunk)
  if (chunks.some((chunk) => chunk === undefined)) return ended(failedEnd('upstream.malformed'))
  if (chunks.some((chunk) => chunk?.['error'])) return ended(failedEnd('upstream.failed'))
  if (!state.accept(chunks)) return ended(failedEnd('upstream.malformed'))
  const step = await judgeBatch(stream)
  if (step.end || doneIndex < 0) return step
  const rest = await finishStream(stream, true)
  return { text: step.text + rest.text, end: rest.end }
}

function ended(end: StreamEnd): StreamStep {
  return { text: '', end }
}

/** Releases what is still held, once nothing more comes. `isComplete`: the model server ended it properly. */
async function finishStream(stream: Stream, isComplete: boolean): Promise<StreamStep> {
  stream.state.finish()
  const { text, end } = await judgeBatch(stream)
  return { text, end: end ?? (isComplete ? { kind: 'done' } : failedEnd('upstream.failed')) }
}

/** Judges what has arrived, and returns what of it may leave: run steps → settle → decide → append → enforce. */
async function judgeBatch({ gateway, state }: Stream): Promise<StreamStep> {
  const call = state.pendingCall()
  if (!call) return { text: state.pass(), end: undefined }
  const run = await runSteps(gateway, call)
  const outcomes = state.settle(run.outcomes)
  const verdict = await decide(gateway, call, outcomes)
  const appended = await appendBatch(gateway, call, { outcomes, verdict }, state.progress)
  if (appended.status === 'unrecorded') return ended(failedEnd('ledger.unavailable', appended.cause))
  const enforcement = enforce(call, state.fieldFindings(), verdict, gateway.registry)
  if (enforcement.status === 'refused') return ended({ kind: 'refused', refusal: enforcement, verdict })
  const { text, findings } = state.take(verdict, enforcement.body)
  for (const { kind } of findings) countFinding(gateway, kind)
  return { text, end: undefined }
}

/** Appends the decision about a batch when it is the first, or refuses the stream. Its end records all others. */
async function appendBatch(
  gateway: Gateway,
  call: Call,
  decision: Decision,
  progress: StreamProgress,
): Promise<AppendResult> {
  progress.decided(decision.verdict)
  const isRefused = decision.verdict.action === 'block' || decision.verdict.action === 'hold'
  if (progress.isOpen && !isRefused) return { status: 'recorded' }
  const details = isRefused ? progress.counts() : { event: 'opened' }
  const appended = await appendDecision(gateway, call, decision, JSON.stringify(call.segments), details)
  if (appended.status === 'recorded') progress.isOpen = true
  return appended
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
