/** Base85: Adobe's, with or without its brackets; that of RFC 1924 (Python, Git); that of ZeroMQ. */

import { type EncodedRun, PRINTABLE_MIN } from './decoded-bytes.ts'
import { isMarked, textOf, type UnpackBudget } from './packed-bytes.ts'

/** Shorter runs are what programs are full of. */
const RUN_CHARS_MIN = 40

/** The value of each ASCII code in an alphabet; NONE for what is not in it. */
type Alphabet = Uint8Array

const NONE = 255

function alphabetOf(characters: string): Alphabet {
  const values = new Uint8Array(128).fill(NONE)
  for (const [value, character] of [...characters].entries()) values[character.charCodeAt(0)] = value
  return values
}

const ADOBE = alphabetOf(Array.from({ length: 85 }, (_, index) => String.fromCharCode(33 + index)).join(''))
const ALPHABETS = [
  alphabetOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~'),
  alphabetOf('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'),
  ADOBE,
]

/** Base64, names and addresses are as long, and none. */
const NO_BASE85 = /^[\w+/=.,:;"'-]*$|:\/\//

const BRACKETED = /<~([!-uz\s]{20,}?)~>/g

/** Returns the runs of a text that hold text. */
export function base85Runs(text: string, budget: UnpackBudget): readonly EncodedRun[] {
  const runs: EncodedRun[] = []
  // A run covers one of every RUN_CHARS_MIN indexes: most of a text is never read.
  for (let index = RUN_CHARS_MIN - 1; index < text.length; index += RUN_CHARS_MIN) {
    if (!isVisible(text, index)) continue
    let start = index
    while (isVisible(text, start - 1)) start--
    let end = index
    while (isVisible(text, end)) end++
    if (end - start >= RUN_CHARS_MIN) runs.push(...runsIn(text.slice(start, end), start, budget))
    index = Math.max(index, end - 1)
  }
  if (!text.includes('<~')) return runs
  for (const { 0: found, 1: characters = '', index } of text.matchAll(BRACKETED)) {
    const decoded = decode(characters.replaceAll(/\s/g, '').replaceAll('z', '!!!!!'), ADOBE, budget)
    if (decoded !== undefined) runs.push({ start: index, end: index + found.length, text: decoded })
  }
  return runs
}

function isVisible(text: string, index: number): boolean {
  const code = text.charCodeAt(index)
  return code > 32 && code < 127
}

function runsIn(word: string, from: number, budget: UnpackBudget): readonly EncodedRun[] {
  if (NO_BASE85.test(word)) return []
  const runs: EncodedRun[] = []
  for (const alphabet of ALPHABETS) {
    for (let start = 0, end = 0; start < word.length; start = end + 1) {
      for (end = start; end < word.length && valueAt(word, end, alphabet) !== NONE; ) end++
      const decoded = end - start < RUN_CHARS_MIN ? undefined : decode(word.slice(start, end), alphabet, budget)
      if (decoded !== undefined) runs.push({ start: from + start, end: from + end, text: decoded })
    }
  }
  return runs
}

function valueAt(text: string, index: number, alphabet: Alphabet): number {
  const code = text.charCodeAt(index)
  return code < 128 ? (alphabet[code] as number) : NONE
}

/** The text of a run; what is stuck to its front shifts it by up to four characters. */
function decode(run: string, alphabet: Alphabet, budget: UnpackBudget): string | undefined {
  for (let shift = 0; shift < 5; shift++) {
    if (!mayBeText(run, shift, alphabet) && !mayBePacked(run, shift, alphabet)) continue
    const text = textOf(bytesOf(run.slice(shift), alphabet), budget)
    if (text !== undefined) return text
  }
  return undefined
}

/** A group of five begins with one of these values when its first byte is printable. */
const TEXT_MIN = 10
const TEXT_MAX = 40
/** So many groups in a row are sixteen bytes. */
const GROUPS_MIN = 4

function mayBeText(run: string, shift: number, alphabet: Alphabet): boolean {
  let groups = 0
  for (let at = shift; at < run.length; at += 5) {
    const value = valueAt(run, at, alphabet)
    groups = value >= TEXT_MIN && value <= TEXT_MAX ? groups + 1 : 0
    if (groups === GROUPS_MIN) return isLikeText(run, shift, alphabet)
  }
  return false
}

/** So many of the first bytes are zeros where characters have two or four. */
const WIDE_BYTES = 32
const WIDE_ZEROS_MIN = 6

/**
 * Whether the bytes of whole groups are what decoded-bytes.ts may take for text: enough printable ones in a row, zeros between them
 * at their start, or nothing that is not in UTF-8. Names and links pass the test of the groups' first bytes, and would
 * be decoded for nothing.
 */
function isLikeText(run: string, shift: number, alphabet: Alphabet): boolean {
  let [printable, zeros, count, previous] = [0, 0, 0, 0]
  let isUtf8 = true
  for (let at = shift; at + 5 <= run.length; at += 5) {
    const isTooLate = printable + 0.8 * (run.length - at) < PRINTABLE_MIN - 3
    if (isTooLate && !isUtf8 && count >= WIDE_BYTES) return false
    const group = groupAt(run, at, alphabet)
    for (let bits = 24; bits >= 0; bits -= 8) {
      const byte = (group >>> bits) & 0xff
      const isPrintable = (byte >= 32 && byte < 127) || byte === 9 || byte === 10 || byte === 13
      printable = isPrintable ? printable + 1 : 0
      if (printable === PRINTABLE_MIN) return true
      if (byte === 0 && count < WIDE_BYTES && ++zeros === WIDE_ZEROS_MIN) return true
      const isAscii = byte < 128
      if (
        isAscii ? !isPrintable || previous >= 0xc0 : byte >= 0xf8 || (byte < 0xc0 ? previous < 128 : previous >= 0xc0)
      )
        isUtf8 = false
      previous = byte
      count++
    }
  }
  // The last group, which is not whole, has three bytes more.
  return isUtf8 || printable + 3 >= PRINTABLE_MIN
}

/** The first digits of what begins as gzip (0x1f), Zstandard (0x28) and zlib (0x78). */
const PACKED_DIGITS: ReadonlySet<number> = new Set([9, 10, 12, 13, 38, 39])

function mayBePacked(run: string, shift: number, alphabet: Alphabet): boolean {
  return PACKED_DIGITS.has(valueAt(run, shift, alphabet)) && isMarked(bytesOf(run.slice(shift, shift + 5), alphabet))
}

function bytesOf(run: string, alphabet: Alphabet): Buffer {
  const bytes = Buffer.alloc(4 * Math.ceil(run.length / 5))
  const missing = (5 - (run.length % 5)) % 5
  for (let at = 0; at < run.length; at += 5) bytes.writeUInt32BE(groupAt(run, at, alphabet), (at / 5) * 4)
  return bytes.subarray(0, bytes.length - missing)
}

/** The four bytes of a group, the first in the upper bits. A last group that is not whole is filled up with the highest value. */
function groupAt(run: string, at: number, alphabet: Alphabet): number {
  let value = 0
  for (let index = at; index < at + 5; index++)
    value = value * 85 + (index < run.length ? valueAt(run, index, alphabet) : 84)
  return value % 2 ** 32
}
