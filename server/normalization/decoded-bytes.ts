/** Whether bytes are text: in ASCII, UTF-8, UTF-16 or UTF-32. */
import { isUtf8 } from 'node:buffer'

/**
 * Decoded bytes count as text from this many consecutive printable characters on; random bytes have them once in 10
 * million.
 */
export const PRINTABLE_MIN = 16

/** A half-open range of encoded text, and its decoded text. */
export type EncodedRun = Readonly<{ start: number; end: number; text: string }>

/** Returns the text of bytes that are not compressed; undefined when they are none. */
export function plainText(bytes: Buffer): string | undefined {
  return printableText(bytes) ?? wideText(bytes)
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
  return utf8Text(bytes)
}

/** Printable characters that follow each other, as the program `strings` prints them. */
const READABLE = /[\t\n\r\x20-\x7e]{6,}/g

function readableParts(bytes: Buffer): string {
  return (bytes.toString('latin1').match(READABLE) ?? []).join('\n\uffff\n')
}

/** So many bytes are hardly ever UTF-8 by chance. */
const UTF8_BYTES_MIN = 18
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/

/** Text of a script with few ASCII characters in a row. */
function utf8Text(bytes: Buffer): string | undefined {
  const whole = withoutCutCharacter(bytes)
  if (whole.length < UTF8_BYTES_MIN || !isUtf8(whole)) return undefined
  const text = whole.toString()
  return CONTROL.test(text) ? undefined : text
}

/** Bytes that may end within a character of UTF-8, without what is there of it. */
export function withoutCutCharacter(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes.length - end < 3 && ((bytes[end - 1] ?? 0) & 0xc0) === 0x80) end--
  return (bytes[end - 1] ?? 0) >= 0xc0 ? bytes.subarray(0, end - 1) : bytes
}

/** So many characters of two or four bytes tell that all are; most of them are of ASCII in any program. */
const WIDE_CHARS = 12
const WIDE_SHARE = 0.75

/** Returns bytes as text in UTF-16 or UTF-32 of either order, when that is what they are. */
function wideText(bytes: Buffer): string | undefined {
  if (bytes.length < 2 * WIDE_CHARS) return undefined
  if (isWide(bytes, 2, 0)) return bytes.toString('utf16le')
  if (isWide(bytes, 2, 1)) return swapped(bytes).toString('utf16le')
  if (isWide(bytes, 4, 0)) return utf32Text(bytes, (at) => bytes.readUInt32LE(at))
  return isWide(bytes, 4, 3) ? utf32Text(bytes, (at) => bytes.readUInt32BE(at)) : undefined
}

/** Whether characters of `width` bytes have their ASCII at `at`, and zeros elsewhere. The first may be a byte order mark. */
function isWide(bytes: Buffer, width: number, at: number): boolean {
  let wide = 0
  for (let index = width; index < width * (WIDE_CHARS + 1) && index + width <= bytes.length; index += width) {
    const ascii = bytes[index + at] as number
    let zeros = 0
    for (let other = index; other < index + width; other++) if (bytes[other] === 0) zeros++
    if (zeros === width - 1 && ascii >= 9 && ascii < 127) wide++
  }
  return wide >= WIDE_SHARE * WIDE_CHARS
}

function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()
}

const CODE_POINT_MAX = 0x10ffff

function utf32Text(bytes: Buffer, codeAt: (at: number) => number): string {
  const characters: string[] = []
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = codeAt(at)
    characters.push(code <= CODE_POINT_MAX ? String.fromCodePoint(code) : '\ufffd')
  }
  return characters.join('')
}
