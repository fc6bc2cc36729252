/** A directory with its owner and mode. */

import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand, scriptCommand, within } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Change, Removal, Resource } from '../core/resource.ts'
import { forgetMadeCommand, isNamedOurs, madeRecordFact, recordMadeCommand } from '../facts/made-record.ts'
import { pathFact } from '../facts/path.ts'
import { type Ownership, ownershipCommands, ownershipDifferences } from '../files/file-change.ts'
import { isBelowOwnFolder, OWN_FOLDERS, REMOVAL_REASON } from '../files/removal.ts'

/** `owner` and `group` are names or numbers; `mode` is octal digits (`0750`). */
export type DirectoryOptions = Ownership & Readonly<{ path: string }>

/** The directory; missing parents are created with root as owner and mode 0755. Another kind of file at the path is a `Failure` (exit 5), never removed. */
export function directory(options: DirectoryOptions): Resource {
  return {
    id: `directory:${options.path}`,
    absent: (getFact, removal) => planDirectoryAbsent(getFact, options.path, removal),
    plan: async (getFact) => {
      const { path } = options
      const state = await getFact(pathFact(path))
      if (state.kind === 'absent') {
        return [{ action: `create directory ${path}`, reason: 'it is absent', commands: createCommands(options) }]
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

/** One that is ours alone goes with all that is in it, that of the data only with them. One that we made among others goes when nobody has put anything into it. */
async function planDirectoryAbsent(
  getFact: GetFact,
  path: string,
  { isWithData }: Removal,
): Promise<readonly Change[]> {
  if (isBelowOwnFolder(path) || (path === HOST_PATH.stateFolder && !isWithData)) return []
  const [{ kind }, made] = await Promise.all([getFact(pathFact(path)), getFact(madeRecordFact)])
  if (kind !== 'directory') return []
  if (OWN_FOLDERS.includes(path)) {
    const action = path === HOST_PATH.stateFolder ? `remove ${path}: database, ledger, backups` : `remove ${path}`
    return [
      { action, reason: REMOVAL_REASON, commands: [within(REMOVE_MINUTES, changeCommand('rm', '-rf', '--', path))] },
    ]
  }
  if (!made.has('path', path)) return []
  const remove = changeCommand('rmdir', '--ignore-fail-on-non-empty', '--', path)
  return [
    {
      action: `remove ${path} if it is empty`,
      reason: REMOVAL_REASON,
      commands: [remove, forgetMadeCommand('path', path)],
    },
  ]
}

/** Some hundred thousand files on a slow disk. */
const REMOVE_MINUTES = 60

/** Not install: that of uutils (Ubuntu 26.04) knows no owner without a name. It is closed until it has its owner. */
function createCommands({ path, owner, group, mode }: DirectoryOptions): readonly [Command, ...Command[]] {
  const script = 'umask 022; mkdir -p -- "${1%/*}/"; mkdir -m 0700 -- "$1"; chown "$2" -- "$1"; chmod "$3" -- "$1"'
  const create = scriptCommand(script, [path, `${owner}:${group}`, mode])
  return isNamedOurs(path) ? [create] : [recordMadeCommand('path', path), create]
}
