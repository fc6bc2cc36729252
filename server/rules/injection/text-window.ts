/** Where the windows of a text begin and end that a model scores one by one; the highest score counts. */

/** A range of a text, in UTF-16 code units. */
export type Window = readonly [start: number, end: number]

/** Longer prompts are split into windows. */
const PROMPT_CHARS = 2_500

/** A window of a document is a line; shorter lines go together until they have as much, longer ones end at sentences. */
const LINE_CHARS_MIN = 60
const LINE_CHARS_MAX = 280

/** What is shorter says too little. */
const DOCUMENT_CHARS_MIN = 44

/** Parts of a text that are shorter than this say too little alone: those in a row are also read together. */
const PART_CHARS_MIN = 200

/** The windows of a prompt. No long part, between two of the `seams`, shares its windows with others. */
export function promptWindows(text: string, seams: readonly number[] = []): readonly Window[] {
  if (seams.length === 0) return windowsBetween(0, text.length)
  const parts = [...seams, text.length].map((end, index) => [(seams[index - 1] ?? -1) + 1, end] as const)
  const windows = parts.flatMap(([start, end]) => windowsBetween(start, end))
  let row: Window[] = []
  for (const part of [...parts, undefined]) {
    const isShort = part !== undefined && part[1] - part[0] < PART_CHARS_MIN
    if (isShort) row.push(part)
    else {
      if (row.length > 1) windows.push(...windowsBetween(row[0]?.[0] ?? 0, row.at(-1)?.[1] ?? 0))
      row = []
    }
  }
  return windows
}

function windowsBetween(from: number, to: number): readonly Window[] {
  const windows: Window[] = []
  for (let start = from; start < to; start += PROMPT_CHARS) {
    // A short rest at the end is no window of its own: it belongs to the last one.
    const isLast = start + 1.5 * PROMPT_CHARS >= to
    windows.push([start, isLast ? to : start + PROMPT_CHARS])
    if (isLast) break
  }
  return windows
}

/** The windows of a document: an order in it is a line or two among hundreds. */
export function documentWindows(text: string): readonly Window[] {
  const windows: Window[] = []
  let start = 0
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const isBlank = text.slice(at, Math.min(end, at + LINE_CHARS_MIN)).trim() === ''
    if (end - start >= LINE_CHARS_MIN || isBlank || newline < 0) {
      addSentences(windows, text, start, end)
      start = end + 1
    }
    at = end + 1
  }
  return windows
}

/** Adds a line, or, of a long one, its sentences. */
function addSentences(windows: Window[], text: string, from: number, to: number): void {
  let start = from
  while (to - start > LINE_CHARS_MAX) {
    const end = sentenceEnd(text, start + LINE_CHARS_MIN, start + LINE_CHARS_MAX)
    windows.push([start, end])
    start = end
  }
  if (to - start >= DOCUMENT_CHARS_MIN) windows.push([start, to])
}

/** Where the first sentence ends between two places; the second place when none does. */
function sentenceEnd(text: string, from: number, to: number): number {
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index)
    if ((code === DOT || code === EXCLAMATION || code === QUESTION) && text.charCodeAt(index + 1) <= BLANK)
      return index + 1
  }
  return to
}

const EXCLAMATION = 33
const DOT = 46
const QUESTION = 63
const BLANK = 32
