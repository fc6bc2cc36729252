/** Which run brought each line of a file. */
import { diffArrays } from 'diff'

/** A content of the file after a run; `lines` are the places that they come from, where that is known. */
export type FileVersion = Readonly<{ number: number; content: string; lines?: readonly string[] | undefined }>

/** A line: its text, the run that brought it (undefined: none of them, somebody else did), and where it comes from. */
export type BlamedLine = Readonly<{ text: string; number: number | undefined; place?: string | undefined }>

function linesOf(content: string): readonly string[] {
  const lines = content.split('\n')
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** Returns the next version's lines: those that were there keep who brought them, and are told by their newest place. */
function next(
  before: readonly BlamedLine[],
  { number, content, lines: places }: Omit<FileVersion, 'number'> & { number: number | undefined },
) {
  const after = linesOf(content)
  const blamed: BlamedLine[] = []
  let [old, now] = [0, 0]
  for (const { added, removed, count = 0 } of diffArrays(
    before.map(({ text }) => text),
    [...after],
  )) {
    if (removed) {
      old += count
      continue
    }
    for (let index = 0; index < count; index++, now++) {
      const text = after[now] ?? ''
      const kept = added ? undefined : before[old++]
      const place = places?.[now] || (added ? undefined : kept?.place)
      blamed.push({
        text,
        number: kept === undefined ? number : kept.number,
        ...(place === undefined ? {} : { place }),
      })
    }
  }
  return blamed
}

/** Returns the lines of `current` with who brought each. `versions` are in the order of the runs. */
export function blame(versions: readonly FileVersion[], current: string): readonly BlamedLine[] {
  const last = versions.reduce<readonly BlamedLine[]>((before, version) => next(before, version), [])
  return next(last, { number: undefined, content: current })
}
