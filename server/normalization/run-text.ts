/** What a run of letters and digits says: in hexadecimal, base64 or base32. */
import { base32Text } from './base-32.ts'
import { PRINTABLE_MIN } from './decoded-bytes.ts'
import { packingOf, textOf, type UnpackBudget } from './packed-bytes.ts'
import { replaceEach } from './text-builder.ts'

/**
 * The decoded text of a run, or undefined when it isn't text. Its last line may be the first word of what follows, and
 * no part of it.
 */
export function runText(run: string, budget: UnpackBudget): string | undefined {
  const lineEnd = run.lastIndexOf('\n')
  if (lineEnd < 0) return lettersText(run, budget)
  return (
    lettersText(replaceEach(run, /\s/g, ''), budget) ??
    lettersText(replaceEach(run.slice(0, lineEnd), /\s/g, ''), budget)
  )
}

function lettersText(characters: string, budget: UnpackBudget): string | undefined {
  const { isHexadecimal, isBase64, isBase32 } = runHint(characters)
  return (
    (isHexadecimal ? hexadecimalText(characters, budget) : undefined) ??
    base64Text(characters, isBase64, budget) ??
    (isBase32 ? base32Text(characters, budget) : undefined)
  )
}

/**
 * Text of PRINTABLE_MIN characters; a name or `0x` may stand before it. Written in two parts, because an expression keeps a
 * place to go back to for each repetition that it has to count (64 MB for the longest text).
 */
const HEXADECIMAL = /[0-9a-fA-F]{32}[0-9a-fA-F]*/

function hexadecimalText(characters: string, budget: UnpackBudget): string | undefined {
  const digits = HEXADECIMAL.exec(characters)?.[0]
  if (digits === undefined) return undefined
  const first = digits.length % 2
  return (
    textOf(Buffer.from(digits.slice(first), 'hex'), budget) ??
    textOf(Buffer.from(digits.slice(1 - first), 'hex'), budget)
  )
}

/** What gzip and Zstandard begin with, whatever name stands before it. */
const PACKED = /H4sI|KLUv/

/** Letters before its start shift base64 by up to three characters. */
function base64Text(characters: string, isHinted: boolean, budget: UnpackBudget): string | undefined {
  const packed = characters.search(PACKED)
  const behindName = packed < 4 ? undefined : textOf(Buffer.from(characters.slice(packed), 'base64'), budget)
  if (behindName !== undefined) return behindName
  for (let shift = 0; shift < 4; shift++) {
    const isGuessed = shift === 0 && mayBePacked(characters)
    const mayBeText = isHinted && (isBase64Text(characters, shift) || mayBeWide(characters, shift))
    if (!isGuessed && !mayBeText && !isMarked(characters, shift)) continue
    const text = textOf(Buffer.from(characters.slice(shift), 'base64'), budget, isGuessed)
    if (text !== undefined) return text
  }
  return undefined
}

/**
 * Whether base64 read from `shift` on may hold PRINTABLE_MIN bytes of ASCII in a row. Each group of four characters then
 * begins with a byte's upper six bits: I to f for printable ones, C or D for a line break. Words and paths fail this.
 */
function isBase64Text(characters: string, shift: number): boolean {
  let groups = 0
  for (let index = shift; index < characters.length; index += 4) {
    groups = (classesAt(characters, index) & ASCII_LEAD) === 0 ? 0 : groups + 1
    if (groups === ASCII_GROUPS_MIN) return true
  }
  return false
}

/** Shorter runs are not worth a try where nothing says that they are compressed. */
const PACKED_CHARS_MIN = 40
const PACKED_LETTERS_MIN = 7
const PACKED_DIGITS_MIN = 2

/** Whether a run looks like chance, unlike names and paths: the first of it has small and large letters, and digits. */
function mayBePacked(characters: string): boolean {
  if (characters.length < PACKED_CHARS_MIN) return false
  let [small, large, digits] = [0, 0, 0]
  for (let index = 0; index < PACKED_CHARS_MIN; index++) {
    const code = characters.charCodeAt(index)
    if (code >= 97) small++
    else if (code >= 65) large++
    else if (code >= 48) digits++
  }
  return small >= PACKED_LETTERS_MIN && large >= PACKED_LETTERS_MIN && digits >= PACKED_DIGITS_MIN
}

/** Whether base64 read from `shift` on may hold text in UTF-8, UTF-16 or UTF-32. */
function mayBeWide(characters: string, shift: number): boolean {
  let zeros = 0
  let utf8 = 0
  for (let index = shift; index < shift + WIDE_CHARS && index < characters.length; index++) {
    const classes = classesAt(characters, index)
    if ((classes & ZERO) !== 0) zeros++
    if ((index - shift) % 4 === 0 && (classes & UTF8_LEAD) !== 0) utf8++
  }
  return zeros >= WIDE_ZEROS_MIN || utf8 >= UTF8_GROUPS_MIN
}

/** Whether base64 read from `shift` on begins with what a mark says is compressed. */
function isMarked(characters: string, shift: number): boolean {
  const [first, second] = [valueAt(characters, shift), valueAt(characters, shift + 1)]
  const packing = packingOf((first << 2) | (second >> 4), ((second & 15) << 4) | (valueAt(characters, shift + 2) >> 2))
  return packing !== undefined && packing !== 'raw'
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE64_VALUE = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return Math.max(0, BASE64.indexOf(character === '-' ? '+' : character === '_' ? '/' : character))
})

function valueAt(characters: string, index: number): number {
  return BASE64_VALUE[characters.charCodeAt(index) & 127] as number
}

/** The readers of a run that may find something. */
type RunHint = Readonly<{ isHexadecimal: boolean; isBase64: boolean; isBase32: boolean }>

/** Bits of a character's classes. */
const ASCII_LEAD = 1
const UTF8_LEAD = 2
const ZERO = 4
const HEX_DIGIT = 8
const [UPPER, LOWER, EXTENDED_UPPER, EXTENDED_LOWER] = [16, 32, 64, 128]

/**
 * Each group of four characters of base64 begins with a byte's upper six bits: I to f for printable ASCII, C or D for a line
 * break; 0, 1, … 7 of the alphabet's end for bytes of UTF-8 from 0xc0 to 0xef. Zeros are letters A.
 */
const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  const bitOf = (expression: RegExp, bit: number): number => (expression.test(character) ? bit : 0)
  return (
    bitOf(/[I-Za-fCD]/, ASCII_LEAD) |
    bitOf(/[w-\x7f0-7]/, UTF8_LEAD) |
    bitOf(/A/, ZERO) |
    bitOf(/[0-9a-fA-F]/, HEX_DIGIT) |
    bitOf(/[A-Z2-7]/, UPPER) |
    bitOf(/[a-z2-7]/, LOWER) |
    bitOf(/[0-9A-V]/, EXTENDED_UPPER) |
    bitOf(/[0-9a-v]/, EXTENDED_LOWER)
  )
})

function classesAt(characters: string, index: number): number {
  const code = characters.charCodeAt(index)
  return code < 128 ? (CLASSES[code] as number) : 0
}

/** So many groups of three bytes begin in a row where PRINTABLE_MIN bytes are text. */
const ASCII_GROUPS_MIN = Math.ceil(PRINTABLE_MIN / 3 - 1)
/** Groups and zeros are counted up to here, and up to three characters on: letters may be stuck to the front of a run. */
const WIDE_CHARS = 40
const UTF8_GROUPS_MIN = 4
const WIDE_ZEROS_MIN = 10

/** So many bytes are text: in hexadecimal, and in base32. */
const HEXADECIMAL_CHARS_MIN = 2 * PRINTABLE_MIN
const BASE32_CHARS_MIN = Math.ceil((8 * PRINTABLE_MIN) / 5)

/**
 * Returns what a run may be, in one pass; of what it is not, no reader finds anything. Nearly all runs are names and paths, and are
 * none.
 */
function runHint(characters: string): RunHint {
  let [isHexadecimal, isBase64, isBase32] = [false, false, false]
  let [hexadecimal, upper, lower, extendedUpper, extendedLower, zeros] = [0, 0, 0, 0, 0, 0]
  // Four counters of eight bits: one for each letter that may be the first of a group.
  let [ascii, utf8] = [0, 0]
  for (let index = 0; index < characters.length; index++) {
    const classes = classesAt(characters, index)
    const counter = (index & 3) << 3
    ascii = (classes & ASCII_LEAD) === 0 ? ascii & ~(0xff << counter) : ascii + (1 << counter)
    if (((ascii >>> counter) & 0xff) === ASCII_GROUPS_MIN) {
      isBase64 = true
      ascii = 0
    }
    if (index < WIDE_CHARS + 3) {
      if ((classes & ZERO) !== 0) zeros++
      if ((classes & UTF8_LEAD) !== 0) utf8 += 1 << counter
      if (((utf8 >>> counter) & 0xff) === UTF8_GROUPS_MIN || zeros === WIDE_ZEROS_MIN) isBase64 = true
    }
    hexadecimal = (classes & HEX_DIGIT) === 0 ? 0 : hexadecimal + 1
    if (hexadecimal === HEXADECIMAL_CHARS_MIN) isHexadecimal = true
    upper = (classes & UPPER) === 0 ? 0 : upper + 1
    lower = (classes & LOWER) === 0 ? 0 : lower + 1
    extendedUpper = (classes & EXTENDED_UPPER) === 0 ? 0 : extendedUpper + 1
    extendedLower = (classes & EXTENDED_LOWER) === 0 ? 0 : extendedLower + 1
    if (Math.max(upper, lower, extendedUpper, extendedLower) === BASE32_CHARS_MIN) isBase32 = true
  }
  return { isHexadecimal, isBase64, isBase32 }
}
