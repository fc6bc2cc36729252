/**
 * Strings that come as a whole (ids, names, roles, what stands outside the choices): each is judged by itself and together
 * with what came at its place before, since some clients join them. One that is not what it was is held like a text from
 * then on; outside the choices the first value stays, without what begins like a secret and is none.
 */
import type { Segment } from '../core/call.ts'
import type { PendingFrom } from '../core/step.ts'
import { encodedRuns } from '../normalization/encoded-text.ts'
import { containerPointer, KEY_SUFFIX, pointerToken } from '../protocol/json-pointer.ts'
import { project } from '../protocol/projection.ts'
import { type FieldText, isObject, type JsonObject } from '../protocol/stream-chunk.ts'
import { isTailHarmless } from './harmless-tail.ts'

/** Members of a choice that hold its texts. What stands beside them comes as a whole. */
const CONTENT_MEMBERS = new Set(['delta', 'text', 'message'])

/** What a secret begins with at the end of a string is shorter, however it is written. All of a long string would hold up others. */
const TAIL_CHARS = 16 * 1024

/** Names of strings within them that come as a whole. Every other string is a text that goes on. */
const WHOLE_NAMES = new Set('role id type name title url file_id call_id expires_at'.split(' '))

/** Names of strings that are bytes in base64, when they are that: audio, images, encrypted reasoning, signatures. */
const BINARY_NAMES = new Set('data b64_json encrypted_content signature thought_signature'.split(' '))
const BINARY = /^[A-Za-z0-9+/_-]{100,}={0,2}$/

/** Words that may change from chunk to chunk: a severity, a type of content, a role. */
const WORD = /^[A-Za-z][a-z_]{0,23}(?:\.[a-z_]{1,24})?$/
const WORD_NAMES = new Set(['role', 'type'])

/** A string that is sent again is judged as if it were sent so many times. */
const REPEATS = 4

/** Characters of earlier strings at a place that are scanned together with a new one. */
const EARLIER_CHARS_MAX = 4096

/** A string of a chunk that is judged as a whole; `earlierChars` of it came before. `isOutside`: it is of no choice. */
export type WholeField = Readonly<{ segment: Segment; earlierChars: number; field: string; isOutside: boolean }>

/** What is known of a field. `pointer`: its segment in this batch. */
type Known = {
  value: string
  joined: string
  isRepeated: boolean
  hasFindings: boolean
  pointer: string | undefined
}

/** The strings of one stream that came as a whole. */
export class WholeFields {
  readonly #pendingFrom: PendingFrom
  readonly #known = new Map<string, Known>()
  readonly #held = new Set<string>()
  readonly #first = new Map<string, string>()
  /** Strings of this batch that repeat one that is judged in it: their findings are the same. */
  #repeats = new Map<string, string[]>()

  constructor(pendingFrom: PendingFrom) {
    this.#pendingFrom = pendingFrom
  }

  /** How many different places of strings there were. */
  get count(): number {
    return this.#known.size + this.#first.size + this.#held.size
  }

  /** True for a string of a choice that is held as a text. */
  isHeld(field: FieldText): boolean {
    if (this.#held.has(field.pointer)) return true
    if (!this.#isText(field)) return false
    this.#held.add(field.pointer)
    return true
  }

  /** What has left at a place before its string was held. */
  earlier(pointer: string): string {
    return this.#known.get(pointer)?.joined ?? ''
  }

  /** The chunk with the first values of all strings outside its choices. */
  withFirstValues(chunk: JsonObject): JsonObject {
    return { ...(this.#firstValues(chunk, '') as JsonObject), choices: chunk['choices'] }
  }

  /** The strings of a chunk that are to be judged. `index` is the chunk's in this batch. */
  judgedIn(chunk: JsonObject, fields: ReadonlyMap<string, FieldText>, index: number): readonly WholeField[] {
    return project(chunk).flatMap((segment) => {
      const field = fields.get(segment.pointer)
      const pointer = `/${index}${segment.pointer}`
      return this.#judged({ ...segment, pointer }, field?.pointer ?? segment.pointer, field !== undefined)
    })
  }

  /** True for the beginning of a secret. Digits may begin anything, and are in most ids; a number and a key never go on. */
  isIncomplete({ isOutside, segment }: WholeField): boolean {
    if (!isOutside || segment.isNumber === true || segment.pointer.endsWith(KEY_SUFFIX)) return false
    return !this.#isHarmless(segment.text, Infinity)
  }

  /** Notes which strings of this batch have findings, and ends it. Returns the repetitions of each. */
  endBatch(judged: readonly WholeField[], found: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
    for (const { field, segment } of judged) {
      const known = this.#known.get(field)
      if (!known) continue
      known.hasFindings ||= found.has(segment.pointer)
      known.pointer = undefined
    }
    const repeats = this.#repeats
    this.#repeats = new Map()
    return repeats
  }

  #isText({ path, text, pointer }: FieldText): boolean {
    const name = path.at(-1)
    const isContent = CONTENT_MEMBERS.has(String(path[0]))
    const isNamed = typeof name === 'string'
    // Decided piece by piece: random bytes never go on as a text.
    if (isContent && isNamed && BINARY_NAMES.has(name) && BINARY.test(text)) {
      return encodedRuns(text).length > 0
    }
    if (isContent && !(isNamed && WHOLE_NAMES.has(name))) return true
    if (WORD.test(text) && (!isContent || WORD_NAMES.has(String(name)))) return false
    const known = this.#known.get(pointer)
    if (known?.value === text) return false
    const isAddress = name === 'url' && /^https?:\/\//.test(text)
    return (known !== undefined && !isAddress) || !this.#isHarmless(text)
  }

  #isHarmless(text: string, digitsMax?: number): boolean {
    return isTailHarmless(text.slice(-TAIL_CHARS), this.#pendingFrom, [], digitsMax)
  }

  #judged(segment: Segment, field: string, isJoined: boolean): readonly WholeField[] {
    const { text, pointer } = segment
    const known = this.#known.get(field)
    if (known?.value !== text) {
      const earlier = isJoined ? (known?.joined ?? '') : ''
      const joined = (earlier + text).slice(-EARLIER_CHARS_MAX)
      this.#known.set(field, { value: text, joined, isRepeated: false, hasFindings: false, pointer })
      return [
        { segment: { ...segment, text: earlier + text }, earlierChars: earlier.length, field, isOutside: !isJoined },
      ]
    }
    if (isJoined && !known.isRepeated) {
      const joined = known.joined + text.repeat(REPEATS - 1)
      Object.assign(known, { isRepeated: true, pointer, joined: joined.slice(-EARLIER_CHARS_MAX) })
      return [
        { segment: { ...segment, text: joined }, earlierChars: joined.length - text.length, field, isOutside: false },
      ]
    }
    if (known.pointer !== undefined) {
      const repeats = this.#repeats.get(known.pointer)
      if (repeats) repeats.push(pointer)
      else this.#repeats.set(known.pointer, [pointer])
      return []
    }
    if (!known.hasFindings) return []
    known.pointer = pointer
    const again = isJoined ? known.joined : text
    const earlierChars = again.length - text.length
    return [{ segment: { ...segment, text: again }, earlierChars, field, isOutside: !isJoined }]
  }

  #firstValue(text: string, pointer: string): string {
    const first = this.#first.get(pointer)
    if (first === undefined && text !== '') this.#first.set(pointer, text)
    return text === '' ? '' : (first ?? text)
  }

  #firstValues(value: unknown, pointer: string): unknown {
    if (typeof value === 'string') return this.#firstValue(value, pointer)
    if (Array.isArray(value)) return value.map((item, index) => this.#firstValues(item, `${pointer}/${index}`))
    if (!isObject(value)) return value
    const container = containerPointer(pointer)
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => {
        const inner = `${container}/${pointerToken(name)}`
        return [name, inner === '/choices' ? member : this.#firstValues(member, inner)]
      }),
    )
  }
}
