/** Base64 in its one spelling: what is signed, or is a proof, must not be changeable in a character that decoders skip. */

/**
 * Returns the bytes of base64 (or base64url, which has no padding) in its canonical form: whole padding, and the bits
 * of the last character that stand for nothing are 0 (RFC 4648, section 3.5). Undefined for any other spelling, which
 * Node's own decoder reads as if it were this one.
 */
export function bytesOfBase64(text: string, encoding: 'base64' | 'base64url' = 'base64'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding)
  return bytes.toString(encoding) === text ? bytes : undefined
}
