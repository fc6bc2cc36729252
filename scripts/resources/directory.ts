/** A directory with its owner and mode. */
import { change } from '../core/command.ts'
import { refusal } from '../core/failure.ts'
import type { Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { type Ownership, ownershipCommands, ownershipFaults } from '../files/file-change.ts'

/** `owner` and `group` are names or numbers; `mode` is octal digits (`0750`). */
export type DirectoryOptions = Ownership & Readonly<{ path: string }>

/** The directory, with parents made as root's 0755; what stands in its way is refused, never removed. */
export function directory(options: DirectoryOptions): Resource {
  return {
    id: `directory:${options.path}`,
    plan: async (know) => {
      const { path, owner, group, mode } = options
      const state = await know(pathFact(path))
      if (state.kind === 'absent') {
        const make = change('install', '-d', '-o', `${owner}`, '-g', `${group}`, '-m', mode, '--', path)
        return [{ does: `make directory ${path}`, because: 'it is absent', commands: [make] }]
      }
      if (state.kind !== 'directory') {
        throw refusal(`${path} should be a directory`, `a ${state.kind} stands there`, `move ${path} away`)
      }
      const faults = ownershipFaults(state, options)
      if (faults.length === 0) return []
      const commands = ownershipCommands(path, options)
      return [{ does: `set owner and mode of ${path}`, because: faults.join('; '), commands }]
    },
  }
}
