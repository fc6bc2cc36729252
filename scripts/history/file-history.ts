/** A file through the runs: its content after each, and which run brought each of its lines. */
import type { GetFact } from '../core/host.ts'
import { contentFact } from '../facts/path.ts'
import { type BlamedLine, blame, type FileVersion } from './blame.ts'
import type { Generation } from './entry.ts'
import { readGeneration } from './generation-view.ts'
import { storedText } from './history-fact.ts'

/** Where a file belongs to, and its lines. `versions` is how many contents of it are kept. */
export type FileBlame = Readonly<{
  path: string
  resource: string
  role?: string | undefined
  versions: number
  lines: readonly BlamedLine[]
}>

/** Returns the lines of a file of the host with who brought each; undefined: no run has written it, or it is gone. */
export async function blameFile(
  getFact: GetFact,
  generations: readonly Generation[],
  path: string,
): Promise<FileBlame | undefined> {
  const [current, ...records] = await Promise.all([
    getFact(contentFact(path)),
    ...generations.map((generation) => readGeneration(getFact, generation)),
  ])
  const found = records.flatMap(({ end, state }, index) => {
    const file = state?.files.find((each) => each.path === path)
    const source = end?.files.find((each) => each.path === path)
    return file === undefined || source === undefined ? [] : [{ number: generations[index]?.number ?? 0, file, source }]
  })
  const last = found.at(-1)
  if (last === undefined || current === undefined) return undefined
  const distinct = found.filter(({ file }, index) => file.sha256 !== found[index - 1]?.file.sha256)
  const versions = await Promise.all(
    distinct.map(async ({ number, file, source }): Promise<FileVersion> => {
      const content = (await storedText(getFact, file.sha256)) ?? ''
      // Of a file that was not as the run wanted it, the places are those of another text.
      return { number, content, ...(file.sha256 === source.sha256 ? { lines: source.lines } : {}) }
    }),
  )
  const { resource, role } = last.source
  return { path, resource, role, versions: versions.length, lines: blame(versions, current) }
}
