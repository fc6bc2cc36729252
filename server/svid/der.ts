/** DER (X.690): as much of it as it takes to walk through a certificate that OpenSSL has parsed before. */

/** One value: its tag, as one byte, and what is in it. */
export type DerValue = Readonly<{ tag: number; content: Buffer }>

/** Returns the values that stand one behind the other. Throws RangeError when the bytes end too soon. */
export function readDer(bytes: Buffer): readonly DerValue[] {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.readUInt8(at)
    const first = bytes.readUInt8(at + 1)
    const lengthBytes = first < 0x80 ? 0 : first - 0x80
    const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes)
    const start = at + 2 + lengthBytes
    if (start + length > bytes.length) throw new RangeError('a DER value is longer than what it stands in')
    values.push({ tag, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return values
}
