/**
 * Readers of encodings whose end is not known before they are over. Their expressions keep a place to go back to for each
 * repetition, and what they find is taken apart number by number: so a long text is read in windows.
 */
import { apartRuns } from './apart-letters.ts'
import { base32GroupRuns } from './base-32.ts'
import { base85Runs } from './base-85.ts'
import { byteLineRuns } from './byte-lines.ts'
import { cipherRuns } from './cipher.ts'
import { bitRuns, codeListRuns, type DigitRanges, digitRanges } from './code-list.ts'
import type { EncodedRun } from './decoded-bytes.ts'
import type { UnreadRun } from './encoded-text.ts'
import { groupRuns } from './letter-group.ts'
import type { UnpackBudget } from './packed-bytes.ts'

const READERS: readonly ((text: string, budget: UnpackBudget, digits: DigitRanges) => readonly EncodedRun[])[] = [
  codeListRuns,
  bitRuns,
  byteLineRuns,
  base32GroupRuns,
  base85Runs,
  apartRuns,
]

/** A longer run is read in parts. What is at the end of one window is at the start of the next, too: no secret is parted. */
const WINDOW_CHARS = 128 * 1024
const OVERLAP_CHARS = 8 * 1024

/** Returns the runs of all these encodings. What the budget was too small for is added to `unread`. */
export function wholeTextRuns(text: string, budget: UnpackBudget, unread: UnreadRun[]): readonly EncodedRun[] {
  // Groups are followed character by character, however long: what they are is told by how they begin.
  const runs: EncodedRun[] = groupRuns(text, budget, unread)
  if (text.length <= WINDOW_CHARS) {
    addRuns(runs, text, 0, budget)
    for (const run of cipherRuns(text)) runs.push(run)
    return runs
  }
  for (let from = 0; from === 0 || from + OVERLAP_CHARS < text.length; from += WINDOW_CHARS - OVERLAP_CHARS)
    addRuns(runs, text.slice(from, from + WINDOW_CHARS), from, budget)
  return runs
}

/** Adds the runs of a window that starts at an index of its text. What ends within the overlap was in the window before. */
function addRuns(runs: EncodedRun[], window: string, from: number, budget: UnpackBudget): void {
  const digits = digitRanges(window)
  for (const read of READERS) {
    const found = read(window, budget, digits)
    // Of nearly all texts none finds anything.
    if (found.length === 0) continue
    for (const { start, end, text } of found)
      if (from === 0 || end >= OVERLAP_CHARS) runs.push({ start: from + start, end: from + end, text })
  }
}
