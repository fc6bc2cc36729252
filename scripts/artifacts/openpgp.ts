/** Fingerprints of an ASCII-armored OpenPGP key (RFC 9580), so that a key is trusted by its fingerprint, not by its origin. */
import { createHash } from 'node:crypto'

const PUBLIC_KEY_TAG = 6

function bytesOf(armored: string): Buffer {
  const block =
    /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\r\n]+: [^\r\n]*\r?\n)*\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/
  const body = block.exec(armored)?.[1]
  if (body === undefined) throw new Error('not an ASCII-armored OpenPGP public key')
  const data = body.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('='))
  return Buffer.from(data.join(''), 'base64')
}

type Packet = Readonly<{ tag: number; start: number; end: number }>

/** Parses the header of the packet at an offset: old and new format with definite lengths, the only ones in keys. */
function packetAt(bytes: Buffer, at: number): Packet {
  const first = bytes.readUInt8(at)
  if ((first & 0x80) === 0) throw new Error('damaged OpenPGP key')
  if ((first & 0x40) === 0) {
    const width = [1, 2, 4][first & 3]
    if (width === undefined) throw new Error('OpenPGP packet of indefinite length')
    const start = at + 1 + width
    return { tag: (first >> 2) & 0xf, start, end: start + bytes.readUIntBE(at + 1, width) }
  }
  const tag = first & 0x3f
  const length = bytes.readUInt8(at + 1)
  if (length < 192) return { tag, start: at + 2, end: at + 2 + length }
  if (length < 224) return { tag, start: at + 3, end: at + 3 + ((length - 192) << 8) + bytes.readUInt8(at + 2) + 192 }
  if (length === 255) return { tag, start: at + 6, end: at + 6 + bytes.readUInt32BE(at + 2) }
  throw new Error('OpenPGP packet of partial length')
}

/** Returns the fingerprints (40 upper-case hex digits) of the primary keys, version 4. Throws for malformed text and other versions. */
export function primaryFingerprints(armored: string): readonly string[] {
  const bytes = bytesOf(armored)
  const fingerprints: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const { tag, start, end } = packetAt(bytes, at)
    if (end > bytes.length) throw new Error('OpenPGP key cut short')
    const body = bytes.subarray(start, end)
    if (tag === PUBLIC_KEY_TAG) {
      if (body[0] !== 4) throw new Error(`OpenPGP key of version ${body[0]}`)
      const head = Buffer.from([0x99, body.length >> 8, body.length & 0xff])
      fingerprints.push(createHash('sha1').update(head).update(body).digest('hex').toUpperCase())
    }
    at = end
  }
  return fingerprints
}
