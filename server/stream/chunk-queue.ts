/**
 * The chunks of a stream that have come and not left, in the order in which they came. A chunk leaves when all in it is
 * judged to its end and none of its choices has an earlier one waiting; so within a choice nothing changes places.
 */
import {
  endsChoice,
  firstPart,
  type HeldField,
  isAddressed,
  type JsonObject,
  lastPart,
  type SplitChunk,
} from '../protocol/stream-chunk.ts'

/** JSON characters of all chunks that wait. More of them would fill the memory. */
const QUEUE_CHARS_MAX = 8 * 1024 * 1024

/** A chunk that waits. `isJudged`: what came in it as a whole is judged; `isRedacted`: and changed by that. */
type HeldChunk = {
  chunk: JsonObject
  readonly choices: readonly number[]
  readonly texts: readonly HeldField[]
  readonly jsonChars: number
  isJudged: boolean
  isRedacted: boolean
}

/** The chunks of one stream. */
export class ChunkQueue {
  #chunks: HeldChunk[] = []
  #jsonChars = 0
  readonly #choices = new Set<number>()

  /** True when more waits than may. */
  get isOverfull(): boolean {
    return this.#jsonChars > QUEUE_CHARS_MAX
  }

  /** Adds a chunk that came as so many characters of JSON. */
  add({ chunk, choices, texts }: SplitChunk, jsonChars: number): void {
    for (const choice of choices) this.#choices.add(choice)
    this.#chunks.push({ chunk, choices, texts, jsonChars, isJudged: false, isRedacted: false })
    this.#jsonChars += jsonChars
  }

  /** The chunks that came since the last judgement. */
  get judged(): readonly JsonObject[] {
    return this.#unjudged().map(({ chunk }) => chunk)
  }

  /** Notes that they are judged; `body` is what has become of them. */
  enforce(body: readonly JsonObject[]): void {
    for (const [index, held] of this.#unjudged().entries()) {
      const chunk = body[index] ?? held.chunk
      held.isRedacted = chunk !== held.chunk
      held.chunk = chunk
      held.isJudged = true
    }
  }

  /** Takes out the chunks that may leave, as JSON; those that end a choice with a `note` in our own member. */
  leave(note?: JsonObject): readonly string[] {
    const left: string[] = []
    const staying: HeldChunk[] = []
    const blocked = new Set<number>()
    let isBlocked = false
    for (const held of this.#chunks) {
      const { choices } = held
      isBlocked ||= blocked.size > 0 && blocked.size === this.#choices.size
      const isWaiting = isBlocked || (choices.length === 0 ? blocked.size > 0 : choices.some((one) => blocked.has(one)))
      if (!isWaiting && isReady(held)) {
        left.push(JSON.stringify(note && endsChoice(held.chunk) ? { ...held.chunk, tappass: note } : held.chunk))
        this.#jsonChars -= held.jsonChars
        continue
      }
      const parted = isWaiting ? undefined : partOf(held)
      if (parted !== undefined) left.push(parted.json)
      staying.push(parted?.rest ?? held)
      if (choices.length === 0) isBlocked = true
      for (const choice of choices) blocked.add(choice)
    }
    this.#chunks = staying
    return left
  }

  #unjudged(): readonly HeldChunk[] {
    return this.#chunks.slice(this.#chunks.findLastIndex(({ isJudged }) => isJudged) + 1)
  }
}

function isReady({ isJudged, texts }: HeldChunk): boolean {
  return isJudged && texts.every(({ slot }) => slot.heldChars === 0)
}

/**
 * Parts a chunk of one choice when words of its last text may leave and the rest may not. Blanks are not worth an event: they
 * leave with the word that they precede.
 */
function partOf(held: HeldChunk): Readonly<{ json: string; rest: HeldChunk }> | undefined {
  const { chunk, choices, texts, isJudged, isRedacted } = held
  const last = texts.at(-1)
  if (!isJudged || isRedacted || choices.length !== 1 || last === undefined) return undefined
  if (last.slot.heldChars === 0 || last.slot.text.trim() === '' || !isAddressed(last.field.path)) return undefined
  if (texts.some((one) => one !== last && one.slot.heldChars > 0)) return undefined
  const json = JSON.stringify(firstPart(chunk))
  last.slot.empty()
  return { json, rest: { ...held, chunk: lastPart(chunk, last), texts: [last] } }
}
