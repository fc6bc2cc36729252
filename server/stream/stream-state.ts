/**
 * The state of one streamed response: what has arrived, what is held, and what may leave. It reads, evaluates and
 * records nothing: for each read of the stream
 *
 *     state.accept(chunks)                  chunks arrived; or finish(), when nothing more comes
 *     call = state.pendingCall()            what is to be evaluated now; undefined when that is nothing
 *     …run the response steps over call…
 *     outcomes = state.settle(outcomes)     what of it can no longer change
 *     …decide on outcomes, append, enforce over state.fieldFindings…
 *     text = state.take(verdict, body)      the events that leave; or pass() when there was nothing to evaluate
 */
import type { Call } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { PendingFrom, StepOutcome } from '../core/step.ts'
import type { Verdict } from '../core/verdict.ts'
import { allFindings } from '../pipeline/enforce.ts'
import { formatEvent } from '../protocol/sse.ts'
import { buildChunk, type ChunkShell, envelopeOf, type JsonObject } from '../protocol/stream-chunk.ts'
import {
  type AtomicFields,
  acceptChunks,
  type Batch,
  batchCall,
  finalBatch,
  type SettledBatch,
  settleBatch,
} from './chunk-batch.ts'
import { createHeldTexts, type HeldTexts, releaseText } from './held-text.ts'
import type { StreamProgress } from './stream-progress.ts'

const NO_BATCH: Batch = { shells: [], atomicFields: [], due: [] }
const NOTHING_SETTLED: SettledBatch = { outcomes: [], texts: new Map() }

/** Events that leave, and the findings in what they were made of. */
export type TakenEvents = Readonly<{ text: string; findings: readonly Finding[] }>

/** One stream in progress. */
export class StreamState {
  readonly progress: StreamProgress
  readonly #request: Call
  readonly #texts: HeldTexts
  readonly #sentFields: AtomicFields = new Map()
  /** Choices that have begun, and whether they have ended. */
  readonly #choices = new Map<number, boolean>()
  #batch = NO_BATCH
  #settled = NOTHING_SETTLED
  #envelope: JsonObject = {}

  /** `matchCharsMax`: the largest of the response steps; `pendingFrom`: of them all. */
  constructor(request: Call, matchCharsMax: number, pendingFrom: PendingFrom, progress: StreamProgress) {
    this.#request = request
    this.#texts = createHeldTexts(matchCharsMax, pendingFrom)
    this.progress = progress
  }

  /** Accepts the parsed chunks of a read. False when one of them is not a chunk that can be evaluated. */
  accept(chunks: readonly unknown[]): boolean {
    const batch = acceptChunks(chunks, this.#texts, this.#sentFields)
    if (!batch) return false
    this.#begin(batch)
    for (const { chunk, ended } of batch.shells) {
      for (const { index = 0 } of chunk['choices'] as readonly { index?: number }[]) {
        this.#choices.set(index, this.#choices.get(index) === true || ended.includes(index))
      }
    }
    return true
  }

  /** Ends all texts: nothing more comes. */
  finish(): void {
    this.#begin(finalBatch(this.#texts))
  }

  /** True when choices have begun and each of them has ended. */
  hasEnded(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every((isEnded) => isEnded)
  }

  /** The call to be evaluated now; undefined when there is no new text, after the first batch. */
  pendingCall(): Call | undefined {
    const { due, atomicFields, shells } = this.#batch
    const hasText = due.length + atomicFields.length > 0
    return hasText || (!this.progress.isOpen && shells.length > 0) ? batchCall(this.#request, this.#batch) : undefined
  }

  /** Given the outcomes of the steps over the pending call, returns what of them is final. */
  settle(outcomes: readonly StepOutcome[]): readonly StepOutcome[] {
    this.#settled = settleBatch(this.#batch, this.#texts, outcomes)
    return this.#settled.outcomes
  }

  /** The final findings in the body of the pending call, which holds all but the held texts. */
  fieldFindings(): readonly Finding[] {
    const { outcomes, texts } = this.#settled
    return allFindings(outcomes).filter(({ pointer }) => !texts.has(pointer))
  }

  /** Takes a batch that has no text to be evaluated: its events leave as they are. */
  pass(): string {
    return this.#send(this.#batch.shells, [], [], [])
  }

  /**
   * Takes the events that may leave: the chunks of the enforced body, and what is settled of the held texts without
   * what the verdict redacts.
   */
  take(verdict: Verdict, body: unknown): TakenEvents {
    const kinds = verdict.action === 'redact' ? verdict.kinds : []
    const chunks = body as readonly JsonObject[]
    this.#envelope = envelopeOf(chunks.at(-1) ?? this.#envelope)
    const shells = this.#batch.shells.map((shell, index) => ({ ...shell, chunk: chunks[index] ?? shell.chunk }))
    const { outcomes, texts } = this.#settled
    const findings = allFindings(outcomes).filter(
      ({ pointer, span }) => span[1] <= (texts.get(pointer)?.releaseTo ?? Infinity),
    )
    return { text: this.#send(shells, this.#releaseTexts(kinds), findings, kinds), findings }
  }

  #send(
    shells: readonly ChunkShell[],
    texts: readonly JsonObject[],
    findings: readonly Finding[],
    redactedKinds: readonly string[],
  ): string {
    const events = eventsInOrder(shells, texts)
    const text = events.map((event) => formatEvent(JSON.stringify(event))).join('')
    this.progress.sent(text, events.length, findings, redactedKinds)
    this.#begin(NO_BATCH)
    return text
  }

  #begin(batch: Batch): void {
    this.#batch = batch
    this.#settled = NOTHING_SETTLED
  }

  #releaseTexts(kinds: readonly string[]): readonly JsonObject[] {
    return [...this.#settled.texts].flatMap(([pointer, settled]) => {
      const { delta, text } = releaseText(this.#texts, pointer, settled, kinds)
      return text === '' ? [] : [buildChunk(this.#envelope, delta, text)]
    })
  }
}

/** Chunks in the order that clients expect: beginnings, texts, then what ends a choice or the whole. */
function eventsInOrder(shells: readonly ChunkShell[], texts: readonly JsonObject[]): readonly JsonObject[] {
  const isEnd = ({ chunk, ended }: ChunkShell): boolean => ended.length > 0 || (chunk['choices'] as []).length === 0
  const nonEmpty = shells.filter(({ isEmpty }) => !isEmpty)
  const ends = nonEmpty.filter(isEnd)
  const beginnings = nonEmpty.filter((shell) => !isEnd(shell))
  return [...beginnings.map(({ chunk }) => chunk), ...texts, ...ends.map(({ chunk }) => chunk)]
}
