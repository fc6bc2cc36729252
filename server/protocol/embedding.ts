/** Embeddings in base64: lists of numbers, not text; detectors would only see noise in them. */

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

const FLOAT_BYTES = 4

/** Fewer numbers than a model gives could as well be text. */
const FLOATS_MIN = 8

/** What an embedding's numbers are between, but for zero; text that is read as numbers is spread over 75 powers of ten. */
const SIZE_MIN = 1e-12
const SIZE_MAX = 1e4

/** True for base64 of nothing but 4-byte floats (little-endian) of the size of an embedding's. */
export function isEmbedding(text: string): boolean {
  if (!BASE64.test(text)) return false
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length % FLOAT_BYTES !== 0 || bytes.length < FLOATS_MIN * FLOAT_BYTES) return false
  for (let at = 0; at < bytes.length; at += FLOAT_BYTES) {
    const size = Math.abs(bytes.readFloatLE(at))
    if (size !== 0 && !(size >= SIZE_MIN && size <= SIZE_MAX)) return false
  }
  return true
}
