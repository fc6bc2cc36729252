/** Bytes on their way from a connection to their reader, who takes them piece by piece or all together. */
import type { UpstreamResponse } from '../../core/ports.ts'

/** How the connection is held back, and ended. */
export type FlowControl = Readonly<{
  pause: () => void
  resume: () => void
  abort: (reason: Error) => void
}>

/** Bytes that may wait for a reader who takes them piece by piece. Beyond them the sender has to wait. */
const HIGH_WATER_BYTES = 64 * 1024

/** Holds what has come and was not read. One of `pieces` and `whole` is asked for, once. */
export class ResponseBody {
  readonly #flowControl: FlowControl
  readonly #chunks: Uint8Array[] = []
  #bufferedBytes = 0
  #highWaterBytes = HIGH_WATER_BYTES
  #isPaused = false
  #end: Readonly<{ cause: Error | undefined }> | undefined
  #notifyReader = (): void => {}

  constructor(flowControl: FlowControl) {
    this.#flowControl = flowControl
  }

  /** Takes what came in. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.byteLength
    if (this.#bufferedBytes > this.#highWaterBytes) this.#pause()
    this.#notifyReader()
  }

  /** No more comes: all has, or it broke off for a cause, and reading throws that. */
  end(cause?: Error): void {
    this.#end = { cause }
    this.#notifyReader()
  }

  /** Returns the bytes as they come. A reader who stops before the end ends the connection. */
  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#chunks.shift()
        if (chunk) {
          this.#bufferedBytes -= chunk.byteLength
          if (this.#bufferedBytes <= this.#highWaterBytes) this.#resume()
          yield chunk
        } else if (this.#end?.cause) throw this.#end.cause
        else if (this.#end) return
        else await new Promise<void>((resolve) => (this.#notifyReader = resolve))
      }
    } finally {
      this.#abort('nobody reads on')
    }
  }

  /** Returns all bytes when they are here; undefined, and ends the connection, when they are more than `wholeBytesMax`. */
  bytes: UpstreamResponse['bytes'] = (bodyBytesMax) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>()
    this.#highWaterBytes = bodyBytesMax
    this.#notifyReader = () => {
      if (this.#bufferedBytes > bodyBytesMax) {
        resolve(undefined)
        this.#abort('this is too much')
      } else if (this.#end?.cause) reject(this.#end.cause)
      else if (this.#end) resolve(this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks))
    }
    this.#resume()
    this.#notifyReader()
    return promise
  }

  #pause(): void {
    if (this.#isPaused) return
    this.#isPaused = true
    this.#flowControl.pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#flowControl.resume()
  }

  #abort(reason: string): void {
    if (!this.#end) this.#flowControl.abort(new Error(reason))
  }
}
