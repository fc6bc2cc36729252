/** Finds runs of base64, base32, hexadecimal or binary, and decodes those that hold text. */

import { binaryRuns, pendingBinaryStart } from './binary-run.ts'
import type { RunContent } from './byte-content.ts'
import type { EncodedRun } from './decoded-bytes.ts'
import { type UnpackBudget, unpackBudget } from './packed-bytes.ts'
import { runText } from './run-text.ts'

/** Shorter runs hold less than a detector needs: 24 base64 characters are 18 bytes. */
const RUN_CHARS_MIN = 24

/**
 * The class of each ASCII code. 1: base64 (both alphabets), 2: padding, 4: line break or the space before a continued
 * line.
 */
const CHARACTER_CLASS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  if (/[A-Za-z0-9+/_-]/.test(character)) return 1
  if (character === '=') return 2
  return /[\n\r\t ]/.test(character) ? 4 : 0
})

function classAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 128 ? (CHARACTER_CLASS[code] as number) : 0
}

/** A line of at least this length may continue on the next one (MIME breaks at 76, PEM at 64). */
const WRAPPED_LINE_CHARS_MIN = 48
const LINE_BREAK = /\r?\n[ \t]{0,8}/y
const LINE_BREAK_BEFORE = /\r?\n[ \t]{0,8}$/
const LINE_BREAK_CHARS_MAX = 10

/** A half-open range of a text that may not have been read; `content`: what it is, where that is known. */
export type UnreadRun = Readonly<{ start: number; end: number; content?: RunContent }>

/** Returns all runs that decode to text, in order. What the budget was too small for is added to `unread`. */
export function encodedRuns(
  text: string,
  budget: UnpackBudget = unpackBudget(false),
  unread: UnreadRun[] = [],
): readonly EncodedRun[] {
  const runs: EncodedRun[] = []
  // A run of RUN_CHARS_MIN covers one of every RUN_CHARS_MIN indexes: most of a text is never read.
  for (let index = RUN_CHARS_MIN - 1; index < text.length; index += RUN_CHARS_MIN) {
    if (classAt(text, index) !== 1) continue
    let start = index
    while (start > 0 && classAt(text, start - 1) === 1) start--
    let end = index + 1
    while (classAt(text, end) === 1) end++
    // Most are words; only padding, or a wrapped line, makes a run longer than that.
    if (end - start >= RUN_CHARS_MIN || classAt(text, end) === 2) end = runEnd(text, start)
    if (end - start >= RUN_CHARS_MIN) {
      const { refused } = budget
      const decoded = runText(text.slice(start, end), budget)
      if (decoded !== undefined) runs.push({ start, end, text: decoded })
      else if (budget.refused > refused) unread.push({ start, end })
    }
    index = Math.max(index, end - 1)
  }
  return text.includes('00') ? [...runs, ...binaryRuns(text)] : runs
}

/** Index where a run starts that reaches the end of the text and may continue; the text's length when there is none. */
export function pendingRunStart(text: string): number {
  return Math.min(pendingBase64Start(text), pendingBinaryStart(text))
}

function pendingBase64Start(text: string): number {
  let from = text.length
  while (from > 0 && classAt(text, from - 1) !== 0) from--
  // Lines that are too short to be wrapped, and words, are not part of a run: walk forward to the pending one.
  for (let start = from; start < text.length; ) {
    if (classAt(text, start) !== 1) {
      start++
      continue
    }
    const end = runEnd(text, start)
    if (end === text.length || (end - start >= WRAPPED_LINE_CHARS_MIN && /^\r?\n?[ \t]{0,8}$/.test(text.slice(end))))
      return start
    start = end
  }
  return text.length
}

/** Returns runs of at least half of `charsMin` characters, and all of at least that many, whatever they hold. */
export function longRuns(text: string, charsMin: number): readonly UnreadRun[] {
  const runs: UnreadRun[] = []
  const stride = charsMin >> 1
  for (let index = stride - 1; index < text.length; index += stride) {
    let at = index
    while (at > index - LINE_BREAK_CHARS_MAX && classAt(text, at) === 4) at--
    if (classAt(text, at) !== 1) continue
    const start = runStart(text, at)
    const end = runEnd(text, start)
    if (end - start >= stride) runs.push({ start, end })
    index = Math.max(index, end - 1)
  }
  return runs
}

/** The same for runs that hold text already; the text's length when there is none. */
export function begunRunStart(text: string): number {
  const start = pendingRunStart(text)
  const run = text.slice(start).trimEnd()
  if (run.length < RUN_CHARS_MIN) return text.length
  return runText(run, unpackBudget(false)) === undefined && binaryRuns(run).length === 0 ? text.length : start
}

/** Follows a run over line breaks to its start. */
function runStart(text: string, at: number): number {
  let start = at
  for (;;) {
    while (start > 0 && classAt(text, start - 1) === 1) start--
    const gap = LINE_BREAK_BEFORE.exec(text.slice(Math.max(0, start - LINE_BREAK_CHARS_MAX), start))
    if (gap === null) return start
    const lineEnd = start - gap[0].length
    let lineStart = lineEnd
    while (lineStart > 0 && classAt(text, lineStart - 1) === 1) lineStart--
    if (lineEnd - lineStart < WRAPPED_LINE_CHARS_MIN) return start
    start = lineStart
  }
}

/** Follows a run over line breaks to its end, padding included. */
function runEnd(text: string, start: number): number {
  let end = start
  for (let lineStart = start; ; ) {
    while (classAt(text, end) === 1) end++
    if (classAt(text, end) === 2) break
    LINE_BREAK.lastIndex = end
    if (end - lineStart < WRAPPED_LINE_CHARS_MIN || !LINE_BREAK.test(text) || classAt(text, LINE_BREAK.lastIndex) !== 1)
      break
    lineStart = LINE_BREAK.lastIndex
    end = lineStart
  }
  while (classAt(text, end) === 2) end++
  return end
}
