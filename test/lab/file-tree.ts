/** A machine's files as values, to compare how it was with how it is. */
import { type Machine, run } from './machine.ts'

/** By path: kind, mode, owner, and what the file holds (its SHA-256, or where a link points). No times. */
export type FileTree = ReadonlyMap<string, string>

const survey = `set -eu
find "$@" -xdev ! -type f -printf '%p\\0%y %m %u:%g %l\\0'
find "$@" -xdev -type f -printf '%p\\0%y %m %u:%g\\0'
printf '\\0'
find "$@" -xdev -type f -exec sha256sum --zero -- {} +`

/** Reads everything below the folders, without what `except` matches. /var is another file system than /: name both. */
export async function readFileTree(
  machine: Pick<Machine, 'name'>,
  folders: readonly string[],
  except: RegExp = /^$/,
): Promise<FileTree> {
  const output = await run(machine, ['sh', '-c', survey, 'survey', ...folders])
  if (output.code !== 0) throw new Error(`the files of ${machine.name} can't be read: ${output.stderr}`)
  const [marks = '', sums = ''] = output.stdout.split('\0\0')
  const digests = new Map(sums.split('\0').map((line) => [line.slice(66), line.slice(0, 64)]))
  const words = marks.split('\0')
  const tree = new Map<string, string>()
  for (let index = 0; index + 1 < words.length; index += 2) {
    const [path = '', mark = ''] = [words[index], words[index + 1]]
    if (!except.test(path)) tree.set(path, `${mark} ${digests.get(path) ?? ''}`.trim())
  }
  return tree
}

/** Gives a line for each path that was added (+), removed (-) or changed (~), by path. */
export function compareFileTrees(before: FileTree, after: FileTree): readonly string[] {
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  return paths.flatMap((path) => {
    const [was, is] = [before.get(path), after.get(path)]
    if (was === is) return []
    if (was === undefined) return [`+ ${path} ${is}`]
    if (is === undefined) return [`- ${path} ${was}`]
    return [`~ ${path} ${was} → ${is}`]
  })
}
