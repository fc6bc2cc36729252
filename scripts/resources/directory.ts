/** A directory with its owner and mode. */
import { scriptCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { type Ownership, ownershipCommands, ownershipDifferences } from '../files/file-change.ts'

/** `owner` and `group` are names or numbers; `mode` is octal digits (`0750`). */
export type DirectoryOptions = Ownership & Readonly<{ path: string }>

/** The directory; missing parents are created with root as owner and mode 0755. Another kind of file at the path is a `Failure` (exit 5), never removed. */
export function directory(options: DirectoryOptions): Resource {
  return {
    id: `directory:${options.path}`,
    plan: async (getFact) => {
      const { path } = options
      const state = await getFact(pathFact(path))
      if (state.kind === 'absent') {
        return [{ action: `create directory ${path}`, reason: 'it is absent', commands: [createCommand(options)] }]
      }
      if (state.kind !== 'directory') {
        throw refusedFailure(
          `${path} is not a directory`,
          `it is a ${state.kind}`,
          `move it away: ${quoteAll(['mv', path, `${path}.old`])}`,
        )
      }
      const differences = ownershipDifferences(state, options)
      if (differences.length === 0) return []
      const commands = ownershipCommands(path, options)
      return [{ action: `set owner and mode of ${path}`, reason: differences.join('; '), commands }]
    },
  }
}

/** Not install: that of uutils (Ubuntu 26.04) knows no owner without a name. It is closed until it has its owner. */
function createCommand({ path, owner, group, mode }: DirectoryOptions): Command {
  const script = 'umask 022; mkdir -p -- "${1%/*}/"; mkdir -m 0700 -- "$1"; chown "$2" -- "$1"; chmod "$3" -- "$1"'
  return scriptCommand(script, [path, `${owner}:${group}`, mode])
}
