/** A path at which there must be nothing. */
import { change } from '../core/command.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'

/** Removes a file, a link, or a directory with what is in it on the same file system. */
export function absent({ path }: Readonly<{ path: string }>): Resource {
  return {
    id: `absent:${path}`,
    plan: async (know) => {
      const state = await know(pathFact(path))
      if (state.kind === 'absent') return []
      const commands = [change('rm', '-rf', '--one-file-system', '--', path)] as const
      return [{ does: `remove ${path}`, because: `a ${state.kind} stands there`, commands }]
    },
  }
}
