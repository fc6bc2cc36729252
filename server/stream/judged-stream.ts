/**
 * A streamed response: read, held back, judged in batches, recorded, released. Its first event leaves after an entry
 * in the ledger, its end after another one. An early end is sent to the client as an error event; then there is no
 * `[DONE]`, and the body stays unfinished, unless the model server itself ended it with an error.
 */
import type { Call } from '../core/call.ts'
import type { UpstreamResponse } from '../core/ports.ts'
import type { Step } from '../core/step.ts'
import { pendingFromSteps } from '../detection/pending-match.ts'
import { newSalt } from '../ledger/entry-builder.ts'
import { countFinding } from '../pipeline/append.ts'
import { redactedKinds, type StreamedResult, type StreamTexts } from '../pipeline/call-result.ts'
import { decide } from '../pipeline/decide.ts'
import { enforce } from '../pipeline/enforce.ts'
import type { Gateway } from '../pipeline/gateway.ts'
import type { RecordedDecision } from '../pipeline/judge.ts'
import { runSteps } from '../pipeline/step-runner.ts'
import { KEEP_ALIVE } from '../protocol/sse.ts'
import { JudgementPace } from './judgement-pace.ts'
import { acceptRead, type StreamStop } from './stream-arrival.ts'
import { appendBatch, endStream, failedEnd, judgeError, type StreamEnd } from './stream-end.ts'
import { StreamProgress } from './stream-progress.ts'
import { StreamSource } from './stream-source.ts'
import { StreamState } from './stream-state.ts'

/** A connection that has been silent for so long gets a comment: proxies close silent ones. */
const SILENCE_MS = 15_000

/** One stream: who judges it, the request that it answers, and its state. `signal` aborts when the client disconnects. */
type Stream = Readonly<{
  gateway: Gateway
  request: Call
  signal: AbortSignal
  state: StreamState
  source: StreamSource
  pace: JudgementPace
}>

/** Returns the judged stream, which is read as it is sent. `requestDecision` is the decision about the request. */
export function judgedStream(
  gateway: Gateway,
  request: Call,
  requestDecision: RecordedDecision,
  response: UpstreamResponse,
  signal: AbortSignal,
): StreamedResult {
  const { verdict, outcomes, allowance } = requestDecision
  const { classification, taint } = verdict
  const steps = gateway.steps.filter(({ stages }) => stages.includes('response'))
  const progress = new StreamProgress(classification, taint.all, newSalt(gateway.ports.random))
  const redacted = redactedKinds(requestDecision)
  const state = new StreamState(request, longestMatch(steps), pendingFromSteps(steps), progress, redacted)
  const pace = new JudgementPace(gateway.ports.clock)
  const texts = streamTexts({ gateway, request, signal, state, source: new StreamSource(response.body), pace })
  const note = { classification, taint: taint.all, redacted, steps: outcomes.length + steps.length, allowance }
  return { status: 'streamed', texts, note }
}

function longestMatch(steps: readonly Step[]): number {
  return Math.max(0, ...steps.map(({ matchCharsMax = 0 }) => matchCharsMax))
}

/** The judged stream. When the client disconnects, `finally` still records it. */
async function* streamTexts(stream: Stream): StreamTexts {
  let hasEnded = false
  const endWith = (end: StreamEnd): Promise<string> => {
    hasEnded = true
    return endStream(stream.gateway, stream.request, stream.state.progress, end)
  }
  try {
    for (;;) {
      const { text, end } = await nextTexts(stream)
      if (text !== '') yield text
      if (!end) continue
      const last = await endWith(end)
      if (last !== '') yield last
      return isComplete(end)
    }
  } catch (cause) {
    yield await endWith(failedEnd('gateway.internal', cause))
    throw cause
  } finally {
    if (!hasEnded) await endWith({ kind: 'client_disconnected' })
    stream.source.close()
  }
}

/** True for an end that is the model server's own: its last event, or its error in place of that. */
function isComplete(end: StreamEnd): boolean {
  return end.kind === 'done' || (end.kind === 'failed' && end.body !== undefined)
}

type StreamStep = Readonly<{ text: string; end: StreamEnd | undefined }>

/** Waits for something, and returns what of the stream may leave then, and how it ends, if it does. */
async function nextTexts(stream: Stream): Promise<StreamStep> {
  const { state, signal, source, pace } = stream
  const read = await source.read(state.hasNews ? pace.waitMs(state.backlog()) : SILENCE_MS)
  if (signal.aborted) return { text: '', end: { kind: 'client_disconnected' } }
  const isSilent = read === undefined && !state.hasNews
  const stop = read && acceptRead(state, read)
  if (stop) return stopStream(stream, stop)
  const isDue = read === undefined || pace.waitMs(state.backlog()) === 0
  const step = state.hasNews && isDue ? await judgeBatch(stream) : { text: '', end: undefined }
  const isAlive = isSilent || read?.hasComment === true
  return step.text === '' && step.end === undefined && isAlive ? { text: KEEP_ALIVE, end: undefined } : step
}

/** Releases what is still held, once nothing more comes, and says how the stream ends. */
async function stopStream(stream: Stream, stop: StreamStop): Promise<StreamStep> {
  stream.state.finish()
  const { text, end } = await judgeBatch(stream)
  return { text, end: end ?? (await endAfter(stream, stop)) }
}

async function endAfter({ gateway, request, state }: Stream, stop: StreamStop): Promise<StreamEnd> {
  switch (stop.kind) {
    case 'done':
      return { kind: 'done' }
    case 'end':
      return state.hasEnded() ? { kind: 'done' } : failedEnd(state.isForeign ? 'upstream.malformed' : 'upstream.failed')
    case 'failed':
      return failedEnd(stop.code, stop.cause)
    case 'error':
      return judgeError(gateway, request, stop.body)
  }
}

/** Judges what has come, and returns what of it may leave: run steps → settle → decide → append → enforce. */
async function judgeBatch({ gateway, state, pace }: Stream): Promise<StreamStep> {
  const call = state.pendingCall()
  if (!call) return { text: state.pass(), end: undefined }
  const { clock, meter } = gateway.ports
  const startMs = clock.elapsedMs()
  const backlog = state.backlog()
  const run = await runSteps(gateway, call)
  const outcomes = state.settle(run.outcomes)
  pace.judged(backlog)
  const verdict = await decide(gateway, call, outcomes)
  const appended = await appendBatch(gateway, call, { outcomes, verdict }, state.progress)
  if (appended.status === 'unrecorded') return { text: '', end: failedEnd('ledger.unavailable', appended.cause) }
  const enforcement = enforce(call, state.fieldFindings(), verdict, gateway)
  meter.observe('pipeline_seconds', (clock.elapsedMs() - startMs) / 1000, call.stage)
  if (enforcement.status === 'refused') return { text: '', end: { kind: 'refused', refusal: enforcement, verdict } }
  const { text, findings } = state.take(verdict, enforcement.body)
  for (const { kind } of findings) countFinding(gateway, kind)
  return { text, end: undefined }
}
