/** Text that is compressed, unpacked within bounds. */
import {
  brotliDecompressSync,
  constants,
  inflateRawSync,
  inflateSync,
  type ZlibOptions,
  zstdDecompressSync,
} from 'node:zlib'
import { plainText } from './decoded-bytes.ts'

/**
 * What unpacking may cost in all runs of one text: bytes that come out, and tries where nothing says that it is packed.
 * `refused` counts what was not unpacked because it is too large.
 */
export type UnpackBudget = { bytes: number; tries: number; refused: number }

/** Each costs some 50 µs of a processor. */
const TRIES_MAX = 24

/**
 * A new one. Nothing is tried in a text that may go on (`isEnded` false): a stream is looked through again and again, and the
 * tries would be most of what it costs.
 */
export function unpackBudget(isEnded: boolean): UnpackBudget {
  return { bytes: 1024 * 1024, tries: isEnded ? TRIES_MAX : 0, refused: 0 }
}

const UNPACKED_BYTES_MAX = 256 * 1024

/** Compressed text in compressed text. */
const PACKED_MAX = 3

/** Of text, so many of the first bytes can be printed; compressed bytes hold some of the text as it is. */
const SAMPLE_BYTES = 256
const PRINTABLE_SHARE = 0.95

/**
 * Returns the text of bytes, which may be compressed; undefined when they are none. Where a mark says how, it is believed;
 * the others are tried when `isGuessed`.
 */
export function textOf(bytes: Buffer, budget: UnpackBudget, isGuessed = false): string | undefined {
  const plain = plainText(bytes)
  if (plain !== undefined && isMostlyPrintable(bytes)) return plain
  return (isGuessed || isMarked(bytes) ? unpackedText(bytes, budget) : undefined) ?? plain
}

/** Whether bytes begin as gzip, zlib or Zstandard do. */
export function isMarked(bytes: Buffer): boolean {
  const packing = packingOf(bytes[0] ?? 0, bytes[1] ?? 0)
  return packing !== undefined && packing !== 'raw'
}

function isMostlyPrintable(bytes: Buffer): boolean {
  const sample = bytes.subarray(0, SAMPLE_BYTES)
  let printable = 0
  for (const byte of sample) if ((byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13) printable++
  return printable >= PRINTABLE_SHARE * sample.length
}

/** What compressed bytes begin with; of a raw last block, and of Brotli, that says little. */
type Packing = 'gzip' | 'zlib' | 'zstd' | 'raw' | 'brotli'

/** How bytes that begin so may be compressed; undefined when only Brotli is left. */
export function packingOf(first: number, second: number): Exclude<Packing, 'brotli'> | undefined {
  if (first === 0x1f && second === 0x8b) return 'gzip'
  // RFC 1950: deflate, a window, and a check sum of both bytes.
  if ((first & 15) === 8 && first <= 0x78 && ((first << 8) | second) % 31 === 0 && (second & 32) === 0) return 'zlib'
  if (first === 0x28 && second === 0xb5) return 'zstd'
  return (first & 7) === 3 || (first & 7) === 5 ? 'raw' : undefined
}

const UNPACK = {
  // What follows a file of gzip would be an error, and is a word of the text.
  gzip: (bytes: Buffer, options: ZlibOptions) => inflateRawSync(bytes.subarray(gzipHeaderBytes(bytes)), options),
  zlib: inflateSync,
  zstd: zstdDecompressSync,
  raw: inflateRawSync,
  brotli: brotliDecompressSync,
} as const

/** Where the compressed bytes of a file of gzip begin (RFC 1952): behind a name, when there is one. */
function gzipHeaderBytes(bytes: Buffer): number {
  const flags = bytes[3] ?? 0
  let start = GZIP_HEADER_BYTES
  if ((flags & 4) !== 0) start += 2 + ((bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8))
  for (const zeroEnded of [8, 16]) if ((flags & zeroEnded) !== 0) start = bytes.indexOf(0, start) + 1
  return start + (flags & 2)
}

const GZIP_HEADER_BYTES = 10

/** Returns the text that is in compressed bytes, within bounds; undefined when there is none. */
export function unpackedText(bytes: Buffer, budget: UnpackBudget): string | undefined {
  let text: string | undefined
  let current = unpacked(bytes, budget, false)
  for (let depth = 1; current !== undefined; depth++) {
    text = plainText(current)
    if (depth === PACKED_MAX || (text !== undefined && isMostlyPrintable(current))) return text
    current = unpacked(current, budget, true)
  }
  return text
}

/** Bytes out of bytes. What was compressed already is only compressed again where a mark says so. */
function unpacked(bytes: Buffer, budget: UnpackBudget, isInside: boolean): Buffer | undefined {
  const packing = packingOf(bytes[0] ?? 0, bytes[1] ?? 0)
  if (packing !== undefined && packing !== 'raw') return unpackedAs(packing, bytes, budget)
  if (isInside) return undefined
  return (packing === 'raw' ? tried('raw', bytes, budget) : undefined) ?? tried('brotli', bytes, budget)
}

function tried(packing: Packing, bytes: Buffer, budget: UnpackBudget): Buffer | undefined {
  return budget.tries-- > 0 ? unpackedAs(packing, bytes, budget) : undefined
}

function unpackedAs(packing: Packing, bytes: Buffer, budget: UnpackBudget): Buffer | undefined {
  // A stream of zlib takes some kilobytes, whatever comes out of it.
  if (budget.bytes <= 0) return refused(packing, budget)
  try {
    // What is there of a run that was cut is read, too.
    const cut = packing === 'gzip' || packing === 'zlib' ? { finishFlush: constants.Z_SYNC_FLUSH } : {}
    const result = UNPACK[packing](bytes, {
      ...cut,
      maxOutputLength: Math.min(UNPACKED_BYTES_MAX, budget.bytes),
    })
    budget.bytes -= result.length
    return result
  } catch (cause) {
    // Not compressed after all; or larger than anybody may make us unpack.
    if ((cause as { code?: unknown }).code !== 'ERR_BUFFER_TOO_LARGE') return undefined
    budget.bytes -= UNPACKED_BYTES_MAX
    return refused(packing, budget)
  }
}

/** Where only a guess says that bytes are packed, nothing is missing. */
function refused(packing: Packing, budget: UnpackBudget): undefined {
  if (packing !== 'raw' && packing !== 'brotli') budget.refused++
}
