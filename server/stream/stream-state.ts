/**
 * The state of one streamed response: what has come, what is held, and what may leave. It reads, evaluates and
 * records nothing:
 *
 *     state.accept(chunk, jsonChars)        a chunk came; or finish(), when nothing more comes
 *     call = state.pendingCall()            what is to be evaluated now; undefined when that is nothing
 *     …run the response steps over call…
 *     outcomes = state.settle(outcomes)     what of it can no longer change
 *     …decide on outcomes, append, enforce over state.fieldFindings…
 *     text = state.take(verdict, body)      the events that leave; or pass() when there was nothing to evaluate
 */
import { type Call, NO_TOOLS } from '../core/call.ts'
import type { Finding } from '../core/finding.ts'
import type { PendingFrom, StepOutcome } from '../core/step.ts'
import type { Verdict } from '../core/verdict.ts'
import { redactionNote } from '../pipeline/call-metadata.ts'
import { allFindings } from '../pipeline/enforce.ts'
import { redact } from '../pipeline/value-redaction.ts'
import { ProjectionError } from '../protocol/projection.ts'
import { formatEvent } from '../protocol/sse.ts'
import { type FieldText, type JsonObject, type SplitChunk, splitChunk } from '../protocol/stream-chunk.ts'
import { CalledTools } from './called-tools.ts'
import { type Batch, batchCall, INCOMPLETE, type SettledBatch, settleBatch } from './chunk-batch.ts'
import { ChunkQueue } from './chunk-queue.ts'
import {
  appendText,
  backlogOf,
  createHeldTexts,
  dueTexts,
  finishTexts,
  type HeldTexts,
  pauseChoice,
  releaseText,
} from './held-text.ts'
import type { Backlog } from './judgement-pace.ts'
import type { StreamProgress } from './stream-progress.ts'
import { type WholeField, WholeFields } from './whole-field.ts'

/** Places of strings in one stream; each of them is remembered, and all of them may come at once. */
const PLACES_MAX = 3_000

const NO_BATCH: Batch = { chunks: [], wholeFields: [], due: [] }
const NOTHING_SETTLED: SettledBatch = { outcomes: [], texts: new Map(), incomplete: [] }

/** Events that leave, and the findings in what they were made of. */
export type TakenEvents = Readonly<{ text: string; findings: readonly Finding[] }>

/** One stream in progress. */
export class StreamState {
  readonly progress: StreamProgress
  readonly #request: Call
  readonly #requestKinds: readonly string[]
  readonly #texts: HeldTexts
  readonly #fields: WholeFields
  readonly #calls = new CalledTools()
  readonly #queue = new ChunkQueue()
  /** Choices that have begun, and whether they have ended. */
  readonly #choices = new Map<number, boolean>()
  #hasSkipped = false
  #chunks: JsonObject[] = []
  #wholeFields: WholeField[] = []
  #batch = NO_BATCH
  #settled = NOTHING_SETTLED

  /** `matchCharsMax`: the largest of the response steps; `pendingFrom`: of them all; `requestKinds`: redacted before. */
  constructor(
    request: Call,
    matchCharsMax: number,
    pendingFrom: PendingFrom,
    progress: StreamProgress,
    requestKinds: readonly string[] = [],
  ) {
    this.#request = request
    this.#requestKinds = requestKinds
    this.#texts = createHeldTexts(matchCharsMax, pendingFrom)
    this.#fields = new WholeFields(pendingFrom)
    this.progress = progress
  }

  /** Accepts a parsed chunk that came as so many characters. False when it is not a chunk that can be evaluated. */
  accept(value: unknown, jsonChars: number): boolean {
    try {
      const split = splitChunk(value, (field) => this.#fields.isHeld(field))
      if (split === undefined || split.fields.size > PLACES_MAX) return false
      const chunk = this.#fields.withFirstValues(split.chunk)
      if (this.#fields.count > PLACES_MAX) return false
      // As it came: in the split one a name in pieces is a slot.
      this.#calls.add(value as JsonObject)
      this.#add({ ...split, chunk }, jsonChars)
      return this.#fields.count <= PLACES_MAX
    } catch (cause) {
      if (cause instanceof ProjectionError) return false
      throw cause
    }
  }

  /** Skips something that is no chunk. */
  skip(): void {
    this.#hasSkipped = true
  }

  /** True when something came and none of it was a chunk. */
  get isForeign(): boolean {
    return this.#hasSkipped && this.#choices.size === 0
  }

  /** Ends all texts: nothing more comes. */
  finish(): void {
    finishTexts(this.#texts)
  }

  /** True when choices have begun and each of them has ended. */
  hasEnded(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every((isEnded) => isEnded)
  }

  /** True when something has come since the last judgement. */
  get hasNews(): boolean {
    return this.#chunks.length > 0
  }

  /** How much text is to be judged. */
  backlog(): Backlog {
    return backlogOf(this.#texts)
  }

  /** The call to be evaluated now; undefined when there is no new text, after the first batch. */
  pendingCall(): Call | undefined {
    const due = dueTexts(this.#texts)
    const hasText = due.length + this.#wholeFields.length > 0
    if (!hasText && (this.progress.isOpen || this.#chunks.length === 0)) return undefined
    this.#batch = { chunks: this.#chunks, wholeFields: this.#wholeFields, due }
    const tools = { ...NO_TOOLS, called: this.#calls.names }
    return batchCall({ ...this.#request, taint: this.progress.taint, tools }, this.#batch)
  }

  /** Given the outcomes of the steps over the pending call, returns what of them is final. */
  settle(outcomes: readonly StepOutcome[]): readonly StepOutcome[] {
    this.#settled = settleBatch(this.#batch, this.#texts, this.#fields, outcomes, this.#queue.isOverfull)
    return this.#settled.outcomes
  }

  /** The final findings in the body of the pending call, which holds all but the held texts. */
  fieldFindings(): readonly Finding[] {
    const { outcomes, texts } = this.#settled
    return allFindings(outcomes).filter(({ pointer }) => !texts.has(pointer))
  }

  /** Takes what has no text to be evaluated: its chunks leave as they are, behind what is held. */
  pass(): string {
    return this.#send(this.#chunks, [], [])
  }

  /**
   * Takes the events that may leave: the chunks of the enforced body, and what is settled of the held texts without
   * what the verdict redacts.
   */
  take(verdict: Verdict, body: unknown): TakenEvents {
    const kinds = verdict.action === 'redact' ? verdict.kinds : []
    const { outcomes, texts, incomplete } = this.#settled
    for (const [pointer, settled] of texts) releaseText(this.#texts, pointer, settled, kinds)
    const findings = allFindings(outcomes).filter(
      ({ pointer, span }) => span[1] <= (texts.get(pointer)?.releaseTo ?? Infinity),
    )
    const chunks = redact(body, incomplete, [INCOMPLETE], () => undefined)
    return { text: this.#send(chunks as readonly JsonObject[], findings, kinds), findings }
  }

  #add(split: SplitChunk, jsonChars: number): void {
    const { chunk, choices, ended, texts, fields } = split
    const judged = this.#fields.judgedIn(chunk, fields, this.#chunks.length)
    const begun = new Set([...fields.values()].filter(isBeginning).map(({ choice }) => choice))
    for (const choice of begun) pauseChoice(this.#texts, choice)
    for (const text of texts) appendText(this.#texts, text, this.#fields.earlier(text.field.pointer))
    for (const choice of ended) pauseChoice(this.#texts, choice)
    for (const choice of choices)
      this.#choices.set(choice, this.#choices.get(choice) === true || ended.includes(choice))
    this.#queue.add(split, jsonChars)
    this.#chunks.push(chunk)
    this.#wholeFields.push(...judged)
  }

  /** What the client is told with the end of a choice; undefined when nothing was taken out. */
  #note(): JsonObject | undefined {
    const { redacted, redacted_in } = redactionNote(this.#requestKinds, this.progress.redacted)
    return redacted.length > 0 ? { redacted, redacted_in } : undefined
  }

  #send(body: readonly JsonObject[], findings: readonly Finding[], redactedKinds: readonly string[]): string {
    this.progress.redacts(redactedKinds)
    this.#queue.enforce(body)
    const events = this.#queue.leave(this.#note())
    const text = events.map(formatEvent).join('')
    this.progress.sent(text, events.length, findings)
    this.#chunks = []
    this.#wholeFields = []
    this.#batch = NO_BATCH
    this.#settled = NOTHING_SETTLED
    return text
  }
}

/** True for a string that begins something else than the text that its choice is at: the id and the name of a tool call. */
function isBeginning({ path }: FieldText): boolean {
  return path[0] === 'delta' && path.length > 2
}
