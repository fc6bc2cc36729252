/** Unified diffs of texts, as plans show them. */

type Edit = Readonly<{ sign: ' ' | '-' | '+'; line: string }>

/** Above this many pairs of lines the whole text is shown as replaced. */
const PAIRS_MAX = 4_000_000
const CONTEXT_LINES = 3
const NO_NEWLINE = '\\ No newline at end of file'

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  else lines.push(`${lines.pop()}\n${NO_NEWLINE}`)
  return lines
}

/** Lengths of the longest common subsequence of every pair of tails. */
function commonTails(before: readonly string[], after: readonly string[]): readonly Uint32Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1))
  for (let i = before.length - 1; i >= 0; i--) {
    const row = rows[i] as Uint32Array
    const below = rows[i + 1] as Uint32Array
    for (let j = after.length - 1; j >= 0; j--) {
      row[j] = before[i] === after[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return rows
}

function editsOf(before: readonly string[], after: readonly string[]): readonly Edit[] {
  const removed = before.map((line): Edit => ({ sign: '-', line }))
  const added = after.map((line): Edit => ({ sign: '+', line }))
  if (before.length * after.length > PAIRS_MAX) return [...removed, ...added]
  const tails = commonTails(before, after)
  const edits: Edit[] = []
  let i = 0
  let j = 0
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      edits.push({ sign: ' ', line: before[i] ?? '' })
      i++
      j++
    } else if ((tails[i + 1]?.[j] ?? 0) >= (tails[i]?.[j + 1] ?? 0)) edits.push(removed[i++] as Edit)
    else edits.push(added[j++] as Edit)
  }
  return [...edits, ...removed.slice(i), ...added.slice(j)]
}

/** Groups edits with their context; hunks that would touch are merged. */
function hunksOf(edits: readonly Edit[]): readonly (readonly [from: number, to: number])[] {
  const hunks: [number, number][] = []
  for (const [index, edit] of edits.entries()) {
    if (edit.sign === ' ') continue
    const last = hunks.at(-1)
    const from = Math.max(0, index - CONTEXT_LINES)
    const to = Math.min(edits.length, index + CONTEXT_LINES + 1)
    if (last !== undefined && from <= last[1]) last[1] = to
    else hunks.push([from, to])
  }
  return hunks
}

function range(start: number, length: number): string {
  return `${length === 0 ? start : start + 1},${length}`
}

/** Returns the diff of two texts (undefined: absent); empty when they are equal. */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  const edits = editsOf(before === undefined ? [] : linesOf(before), linesOf(after))
  const hunks = hunksOf(edits)
  if (hunks.length === 0) return ''
  const body = hunks.flatMap(([from, to]) => {
    const hunk = edits.slice(from, to)
    const count = (part: readonly Edit[], sign: Edit['sign']) => part.filter((edit) => edit.sign !== sign).length
    const head = edits.slice(0, from)
    const oldRange = range(count(head, '+'), count(hunk, '+'))
    const newRange = range(count(head, '-'), count(hunk, '-'))
    return [`@@ -${oldRange} +${newRange} @@`, ...hunk.map(({ sign, line }) => sign + line)]
  })
  return [`--- ${before === undefined ? '/dev/null' : path}`, `+++ ${path}`, ...body, ''].join('\n')
}
