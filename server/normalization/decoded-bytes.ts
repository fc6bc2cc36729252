/** Whether bytes are text: as they are, in UTF-16, or compressed. */
import { isUtf8 } from 'node:buffer'
import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'

/**
 * Decoded bytes count as text from this many consecutive printable characters on; random bytes have them once in 10
 * million.
 */
export const PRINTABLE_MIN = 16

/** A half-open range of encoded text, and its decoded text. */
export type EncodedRun = Readonly<{ start: number; end: number; text: string }>

/**
 * What unpacking may cost in all runs of one text: bytes that come out, and tries where nothing says that it is packed.
 * `refused` counts what was not unpacked because it is too large.
 */
export type UnpackBudget = { bytes: number; tries: number; refused: number }

/** A new one. */
export function unpackBudget(): UnpackBudget {
  return { bytes: 1024 * 1024, tries: 24, refused: 0 }
}

const UNPACKED_BYTES_MAX = 256 * 1024

/** Returns the text of bytes; undefined when they are none. */
export function textOf(bytes: Buffer, budget: UnpackBudget): string | undefined {
  return printableText(bytes) ?? wideText(bytes) ?? unpackedText(bytes, budget)
}

/** In a longer run of bytes that are no text, only what is readable counts: chance alone makes some of an image readable. */
const BINARY_BYTES_MAX = 64 * 1024

/** Returns bytes that hold text as text. */
export function printableText(bytes: Buffer): string | undefined {
  let printable = 0
  for (const byte of bytes) {
    const isPrintable = (byte >= 32 && byte < 127) || byte === 10 || byte === 13 || byte === 9
    printable = isPrintable ? printable + 1 : 0
    if (printable < PRINTABLE_MIN) continue
    return bytes.length <= BINARY_BYTES_MAX || isUtf8(bytes) ? bytes.toString() : readableParts(bytes)
  }
  return undefined
}

/** Printable characters that follow each other, as the program `strings` prints them. */
const READABLE = /[\t\n\r\x20-\x7e]{6,}/g

function readableParts(bytes: Buffer): string {
  return (bytes.toString('latin1').match(READABLE) ?? []).join('\n\uffff\n')
}

/** So many characters of two bytes tell that all are; most of them are of ASCII in any program. */
const WIDE_CHARS = 12
const WIDE_SHARE = 0.75

/** Returns bytes as text in UTF-16 of either order, when that is what they are. */
function wideText(bytes: Buffer): string | undefined {
  if (bytes.length < 2 * WIDE_CHARS) return undefined
  const isWide = (zeroAt: 0 | 1): boolean => {
    let wide = 0
    for (let index = 2; index < 2 + 2 * WIDE_CHARS && index + 1 < bytes.length; index += 2) {
      const other = bytes[index + 1 - zeroAt] as number
      if (bytes[index + zeroAt] === 0 && other >= 9 && other < 127) wide++
    }
    return wide >= WIDE_SHARE * WIDE_CHARS
  }
  if (isWide(1)) return bytes.toString('utf16le')
  return isWide(0)
    ? Buffer.from(bytes.subarray(0, bytes.length & ~1))
        .swap16()
        .toString('utf16le')
    : undefined
}

/** What compressed bytes begin with: gzip; zlib with its four usual levels; a raw last block, which says little. */
type Packing = 'gzip' | 'zlib' | 'raw'

/** How bytes that begin so may be compressed; undefined when they are not. */
export function packingOf(first: number, second: number): Packing | undefined {
  if (first === 0x1f && second === 0x8b) return 'gzip'
  if (first === 0x78 && (second === 0x01 || second === 0x5e || second === 0x9c || second === 0xda)) return 'zlib'
  return (first & 7) === 3 || (first & 7) === 5 ? 'raw' : undefined
}

const UNPACK = { gzip: gunzipSync, zlib: inflateSync, raw: inflateRawSync } as const

/** Returns the text that is in compressed bytes, within bounds; undefined when there is none. */
export function unpackedText(bytes: Buffer, budget: UnpackBudget): string | undefined {
  const packing = packingOf(bytes[0] ?? 0, bytes[1] ?? 0)
  if (packing === undefined || (packing === 'raw' && budget.tries-- <= 0)) return undefined
  try {
    const unpacked = UNPACK[packing](bytes, {
      maxOutputLength: Math.max(1, Math.min(UNPACKED_BYTES_MAX, budget.bytes)),
    })
    budget.bytes -= unpacked.length
    return printableText(unpacked) ?? wideText(unpacked)
  } catch (cause) {
    // Not compressed after all; or larger than anybody may make us unpack.
    if ((cause as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') return undefined
    if (packing !== 'raw') budget.refused++
    budget.bytes -= UNPACKED_BYTES_MAX
    return undefined
  }
}
