/** What comes of a stream: read as it comes, and as much at once as is at hand. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createEventReader, type EventRead, type EventReader, type StreamEvent } from '../protocol/sse.ts'

/** Characters that are taken at once. */
const READ_CHARS_MAX = 64 * 1024

/** How the model server ended its stream: properly, or with a cause. */
export type SourceEnd = Readonly<{ kind: 'end' }> | Readonly<{ kind: 'failed'; cause: unknown }>

/** What has come: events, whether there was a comment among them, and the end, after which nothing comes. */
export type StreamRead = EventRead & Readonly<{ end: SourceEnd | undefined }>

type Next = EventRead & Readonly<{ end?: SourceEnd }>

/** Reads the bytes of a stream. Between two reads other calls have their turn. */
export class StreamSource {
  readonly #bytes: AsyncIterator<Uint8Array>
  readonly #reader: EventReader = createEventReader()
  #next: Promise<Next> | undefined

  constructor(bytes: AsyncIterable<Uint8Array>) {
    this.#bytes = bytes[Symbol.asyncIterator]()
  }

  /** Waits for something, and takes what else is at hand. Undefined when nothing has come within `waitMs`. */
  async read(waitMs: number): Promise<StreamRead | undefined> {
    const timer = new AbortController()
    const first = await Promise.race([this.#pull(), timeout(waitMs, timer.signal)])
    timer.abort()
    if (first === undefined) return undefined
    const turn: Promise<undefined> = nextTurn(undefined)
    const read = await this.#takeAtHand(turn)
    await turn
    return read
  }

  /** Stops reading. It waits for nothing: the next bytes may be long in coming. */
  close(): void {
    this.#bytes.return?.().catch(() => {})
  }

  async #takeAtHand(turn: Promise<undefined>): Promise<StreamRead> {
    const events: StreamEvent[] = []
    let hasComment = false
    for (let chars = 0; chars < READ_CHARS_MAX; ) {
      const next = await Promise.race([this.#pull(), turn])
      if (next === undefined) break
      this.#next = undefined
      events.push(...next.events)
      hasComment ||= next.hasComment
      if (next.end) return { events, hasComment, end: next.end }
      for (const { data } of next.events) chars += data.length
    }
    return { events, hasComment, end: undefined }
  }

  #pull(): Promise<Next> {
    this.#next ??= this.#read()
    return this.#next
  }

  async #read(): Promise<Next> {
    try {
      const { done, value } = await this.#bytes.next()
      return done ? { ...this.#reader.end(), end: { kind: 'end' } } : this.#reader.read(value)
    } catch (cause) {
      return { events: [], hasComment: false, end: { kind: 'failed', cause } }
    }
  }
}

/** Resolves after `waitMs`; never when it is aborted. */
function timeout(waitMs: number, signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs, undefined)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}
