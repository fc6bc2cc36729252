/** Unified diffs of texts, as plans show them. */
import { FILE_HEADERS_ONLY, formatPatch, type StructuredPatchHunk, structuredPatch } from 'diff'

/** With more lines removed and added than this, the whole text is shown as replaced: the time of a diff rises with their square. */
const EDITS_MAX = 1000
const CONTEXT_LINES = 3
const NO_NEWLINE = '\\ No newline at end of file'

function signedLines(text: string, sign: '-' | '+'): readonly string[] {
  if (text === '') return []
  const lines = text.split('\n')
  const last = lines.pop()
  return [...lines.map((line) => sign + line), ...(last === '' ? [] : [`${sign}${last}`, NO_NEWLINE])]
}

function replacement(before: string, after: string): StructuredPatchHunk {
  const [removed, added] = [signedLines(before, '-'), signedLines(after, '+')]
  const count = (lines: readonly string[]) => lines.filter((line) => line !== NO_NEWLINE).length
  return { oldStart: 1, oldLines: count(removed), newStart: 1, newLines: count(added), lines: [...removed, ...added] }
}

/** Returns the diff of two texts (undefined: absent); empty when they are equal. */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  if (before === after) return ''
  const oldPath = before === undefined ? '/dev/null' : path
  const options = { context: CONTEXT_LINES, maxEditLength: EDITS_MAX }
  const patch = structuredPatch(oldPath, path, before ?? '', after, undefined, undefined, options) ?? {
    ...{ oldFileName: oldPath, newFileName: path, oldHeader: undefined, newHeader: undefined },
    hunks: [replacement(before ?? '', after)],
  }
  return patch.hunks.length === 0 ? '' : formatPatch(patch, FILE_HEADERS_ONLY)
}
