/** Bytes on their way from a connection to their reader, who takes them piece by piece or all together. */
import type { UpstreamAnswer } from '../../core/ports.ts'

/** How the connection is held back, and ended. */
export type Tap = Readonly<{
  pause: () => void
  resume: () => void
  abort: (why: Error) => void
}>

/** Bytes that may wait for a reader who takes them piece by piece. Beyond them the sender has to wait. */
const WAITING_BYTES_MAX = 64 * 1024

/** Holds what has come and was not read. One of `pieces` and `whole` is asked for, once. */
export class ArrivingBytes {
  readonly #tap: Tap
  readonly #parts: Uint8Array[] = []
  #waitingBytes = 0
  #roomBytes = WAITING_BYTES_MAX
  #isHeldBack = false
  #ending: Readonly<{ cause: Error | undefined }> | undefined
  #tellReader = (): void => {}

  constructor(tap: Tap) {
    this.#tap = tap
  }

  /** Takes what came in. */
  take(part: Uint8Array): void {
    this.#parts.push(part)
    this.#waitingBytes += part.byteLength
    if (this.#waitingBytes > this.#roomBytes) this.#holdBack()
    this.#tellReader()
  }

  /** No more comes: all has, or it broke off for a cause, and reading throws that. */
  end(cause?: Error): void {
    this.#ending = { cause }
    this.#tellReader()
  }

  /** Gives the bytes as they come. A reader who stops before the end ends the connection. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const part = this.#parts.shift()
        if (part) {
          this.#waitingBytes -= part.byteLength
          if (this.#waitingBytes <= this.#roomBytes) this.#goOn()
          yield part
        } else if (this.#ending?.cause) throw this.#ending.cause
        else if (this.#ending) return
        else await new Promise<void>((resolve) => (this.#tellReader = resolve))
      }
    } finally {
      this.#leave('nobody reads on')
    }
  }

  /** Gives all bytes when they are here; undefined, and ends the connection, when they are more than `wholeBytesMax`. */
  whole: UpstreamAnswer['whole'] = (wholeBytesMax) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>()
    this.#roomBytes = wholeBytesMax
    this.#tellReader = () => {
      if (this.#waitingBytes > wholeBytesMax) {
        resolve(undefined)
        this.#leave('this is too much')
      } else if (this.#ending?.cause) reject(this.#ending.cause)
      else if (this.#ending) resolve(this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts))
    }
    this.#goOn()
    this.#tellReader()
    return promise
  }

  #holdBack(): void {
    if (this.#isHeldBack) return
    this.#isHeldBack = true
    this.#tap.pause()
  }

  #goOn(): void {
    if (!this.#isHeldBack) return
    this.#isHeldBack = false
    this.#tap.resume()
  }

  #leave(why: string): void {
    if (!this.#ending) this.#tap.abort(new Error(why))
  }
}
