/** Bytes in lines that say where they are, or how many: dumps (`xxd`, `hexdump -C`, `od`), and uuencode. */

import { type DigitRanges, digitRanges } from './code-list.ts'
import type { EncodedRun } from './decoded-bytes.ts'
import { textOf, type UnpackBudget } from './packed-bytes.ts'

/** An offset, at most sixteen bytes, and what they are as text. */
const DUMP_LINE =
  /^[ \t>]{0,16}(?:0x)?[0-9a-fA-F]{4,8}:?[ \t]{1,3}((?:[0-9a-fA-F]{2}){1,8}(?:[ ]{1,2}(?:[0-9a-fA-F]{2}){1,8}){0,31})(?:[ \t].*)?$/

/** How a line of uuencode begins that says what follows. */
const UU_BEGIN = /^[ \t>]{0,16}begin(?:-base64)? [0-7]{3,4} /
const UU_CHARS_MAX = 61

/** Returns the runs of lines that hold text; dumps have many digits (`digits`) near each other. */
export function byteLineRuns(
  text: string,
  budget: UnpackBudget,
  digits: DigitRanges = digitRanges(text),
): readonly EncodedRun[] {
  const isDump = digits.some(([start, end]) => DUMP_HINT.test(text.slice(Math.max(0, start - LINE_CHARS_MAX), end)))
  const isUu = text.includes('begin ')
  if (!isDump && !isUu) return []
  const runs: EncodedRun[] = []
  let open: { start: number; end: number; pieces: Buffer[]; isUu: boolean } | undefined
  const close = (): void => {
    const decoded = open === undefined ? undefined : textOf(Buffer.concat(open.pieces), budget)
    if (open !== undefined && decoded !== undefined) runs.push({ start: open.start, end: open.end, text: decoded })
    open = undefined
  }
  for (let start = 0; start <= text.length; ) {
    const lineEnd = text.indexOf('\n', start)
    const end = lineEnd < 0 ? text.length : lineEnd
    const line = end - start > LINE_CHARS_MAX ? '' : text.slice(start, end).replace(/\r$/, '')
    if (isUu && UU_BEGIN.test(line)) {
      close()
      open = { start, end, pieces: [], isUu: true }
    } else {
      const bytes = open?.isUu === true ? uuBytes(line) : isDump ? dumpBytes(line) : undefined
      if (bytes === undefined) close()
      else {
        open ??= { start, end, pieces: [], isUu: false }
        open.pieces.push(bytes)
        open.end = end
      }
    }
    start = end + 1
  }
  close()
  return runs
}

const LINE_CHARS_MAX = 200

/** Dumps begin at zero, or somewhere; each line has its offset and four bytes at least. */
const DUMP_HINT = /^[ \t>]{0,16}(?:0x)?[0-9a-fA-F]{4,8}:?[ \t]{1,3}(?:[0-9a-fA-F]{2} {0,2}){4}/m

/** What stands behind sixteen bytes is them as text, whose words may look like more. */
const LINE_BYTES_MAX = 16

function dumpBytes(line: string): Buffer | undefined {
  const digits = DUMP_LINE.exec(line)?.[1]
  return digits === undefined ? undefined : Buffer.from(digits.replaceAll(' ', ''), 'hex').subarray(0, LINE_BYTES_MAX)
}

/** A line of uuencode: how many bytes, and four characters for each three of them. */
function uuBytes(line: string): Buffer | undefined {
  const characters = line.replace(/^[ \t>]{1,16}(?=M)/, '')
  const count = (characters.charCodeAt(0) - 32) & 63
  const length = Math.ceil(count / 3) * 4
  if (count === 0 || !/^[ -`]+$/.test(characters) || characters.length > UU_CHARS_MAX + 1) return undefined
  if (characters.length - 1 < length - 3) return undefined
  const base64 = characters.slice(1, 1 + length).padEnd(length, ' ')
  const standard = [...base64].map((character) => BASE64.charAt((character.charCodeAt(0) - 32) & 63)).join('')
  return Buffer.from(standard, 'base64').subarray(0, count)
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
