/** A path that must not exist. */
import { changeCommand } from '../core/command.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'

/** Removes a file, a link, or a directory with what is in it on the same file system. */
export function absent({ path }: Readonly<{ path: string }>): Resource {
  return {
    id: `absent:${path}`,
    plan: async (getFact) => {
      const state = await getFact(pathFact(path))
      if (state.kind === 'absent') return []
      const commands = [changeCommand('rm', '-rf', '--one-file-system', '--', path)] as const
      return [{ action: `remove ${path}`, reason: `there is a ${state.kind}`, commands }]
    },
  }
}
