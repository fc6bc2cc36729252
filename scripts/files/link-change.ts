/** How a symbolic link is switched. */
import { scriptCommand, temporaryPath } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { PathState } from '../facts/path.ts'

/** Creates the link under a temporary name and renames it: the path is never absent. */
export function linkCommand(path: string, target: string): Command {
  return scriptCommand(
    'mkdir -p -- "${1%/*}/"; rm -f -- "$2"; ln -s -- "$3" "$2"; mv -fT -- "$2" "$1"; sync -- "${1%/*}/"',
    [path, temporaryPath(path), target],
  )
}

/** Throws a `Failure` (exit 5) for a directory: a rename cannot replace it, and it must not be removed unasked. */
export function assertNotDirectory(path: string, state: PathState): void {
  if (state.kind === 'directory')
    throw refusedFailure(
      `${path} is not a link`,
      'it is a directory',
      `move it away: ${quoteAll(['mv', path, `${path}.old`])}`,
    )
}
