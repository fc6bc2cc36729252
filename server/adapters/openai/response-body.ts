/** The body of a response, with back-pressure, read chunk by chunk or as a whole. */
import type { UpstreamResponse } from '../../core/ports.ts'

/** Pauses, resumes and aborts the connection. */
export type FlowControl = Readonly<{
  pause: () => void
  resume: () => void
  abort: (reason: Error) => void
}>

/** Bytes that are buffered for a reader of chunks. Above them the connection is paused. */
const HIGH_WATER_BYTES = 64 * 1024

/** Buffers what has arrived and was not read. One of `chunks` and `bytes` is called, once. */
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

  /** Adds a chunk that arrived. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.byteLength
    if (this.#bufferedBytes > this.#highWaterBytes) this.#pause()
    this.#notifyReader()
  }

  /** Ends the body: it is complete, or failed with a cause, which reading then throws. */
  end(cause?: Error): void {
    this.#end = { cause }
    this.#notifyReader()
  }

  /**
   * Returns the chunks as they arrive. A reader who stops before the end aborts the connection, at once even when it waits
   * for the next chunk (a generator would return only after that).
   */
  chunks(): AsyncIterableIterator<Uint8Array> {
    const iterator: AsyncIterableIterator<Uint8Array> = {
      next: () => this.#nextChunk(),
      return: async () => {
        this.#abort('the reader stopped')
        return { done: true, value: undefined }
      },
      [Symbol.asyncIterator]: () => iterator,
    }
    return iterator
  }

  async #nextChunk(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#bufferedBytes -= chunk.byteLength
        if (this.#bufferedBytes <= this.#highWaterBytes) this.#resume()
        return { done: false, value: chunk }
      }
      if (this.#end?.cause) throw this.#end.cause
      if (this.#end) return { done: true, value: undefined }
      await new Promise<void>((resolve) => (this.#notifyReader = resolve))
    }
  }

  /**
   * Returns all bytes when they are here; undefined, and aborts the connection, when there are more than
   * `bodyBytesMax`.
   */
  bytes: UpstreamResponse['bytes'] = (bodyBytesMax) => {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array | undefined>()
    this.#highWaterBytes = bodyBytesMax
    this.#notifyReader = () => {
      if (this.#bufferedBytes > bodyBytesMax) {
        resolve(undefined)
        this.#abort('the response is too large')
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
