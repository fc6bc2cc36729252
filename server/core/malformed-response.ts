/** An answer that came and is none: bytes that are not what its headers say, or no HTTP. Asking again gives the same. */

/** What reading such an answer throws; `cause` is what the decoder or parser says. */
export class MalformedResponseError extends Error {
  override readonly name = 'MalformedResponseError'
  constructor(cause: Error) {
    super(`the answer can't be read: ${cause.message}`, { cause })
  }
}
