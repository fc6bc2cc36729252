/** Text as octets of ones and zeros. */

import type { EncodedRun } from './decoded-bytes.ts'
import { printableText } from './decoded-bytes.ts'

/** Octets of ones and zeros, separated by blanks: eight of them, and each further one. */
const BINARY = /(?<![01])[01]{8}(?:\s[01]{8}){7}(?![01])/g
const OCTET = /\s[01]{8}(?![01])/y

/** Returns the runs that decode to text, in order. */
export function binaryRuns(text: string): readonly EncodedRun[] {
  const runs: EncodedRun[] = []
  BINARY.lastIndex = 0
  for (let match = BINARY.exec(text); match !== null; match = BINARY.exec(text)) {
    let end = BINARY.lastIndex
    for (OCTET.lastIndex = end; OCTET.test(text); ) end = OCTET.lastIndex
    BINARY.lastIndex = end
    const decoded = printableText(octetsOf(text.slice(match.index, end)))
    if (decoded !== undefined) runs.push({ start: match.index, end, text: decoded })
  }
  return runs
}

/** The bytes of octets that one blank parts. */
function octetsOf(run: string): Buffer {
  const bytes = Buffer.alloc((run.length + 1) / 9)
  for (let at = 0; at < run.length; at++) {
    const octet = Math.floor(at / 9)
    if (at % 9 < 8) bytes[octet] = ((bytes[octet] as number) << 1) | (run.charCodeAt(at) & 1)
  }
  return bytes
}

/**
 * Index where octets start that reach the end of the text, the last one perhaps incomplete; the text's length when there
 * are none. Read from the end, so that none is read twice.
 */
export function pendingBinaryStart(text: string): number {
  const last = bitsBefore(text, text.length, 17)
  const isWhole = last >= 8
  // The octet that an incomplete one follows ends a blank before it, or where it begins.
  const end = isWhole ? text.length - last + 8 : text.length - last - 1
  if (last > 16 || (!isWhole && !isBlankAt(text, end)) || bitsBefore(text, end, 9) !== 8) return text.length
  let start = end - 8
  while (isBlankAt(text, start - 1) && bitsBefore(text, start - 1, 9) === 8) start -= 9
  return start
}

/** How many ones and zeros there are before an index, at most `most`. */
function bitsBefore(text: string, end: number, most: number): number {
  let count = 0
  while (count < most && (text.charCodeAt(end - count - 1) & ~1) === 48) count++
  return count
}

function isBlankAt(text: string, index: number): boolean {
  return /\s/.test(text.charAt(index))
}
