/** The one way in which a symbolic link is switched. */
import { changeByScript, temporaryPath } from '../core/command.ts'
import { refusal } from '../core/failure.ts'
import type { Command } from '../core/host.ts'
import type { PathState } from '../facts/path.ts'

/** Makes the link beside its place and renames it: nobody ever finds none. */
export function linkCommand(path: string, target: string): Command {
  return changeByScript(
    'mkdir -p -- "${1%/*}/"; rm -f -- "$2"; ln -s -- "$3" "$2"; mv -fT -- "$2" "$1"; sync -- "${1%/*}/"',
    [path, temporaryPath(path), target],
  )
}

/** A rename can't replace a directory, and removing one is nothing to do unasked. Throws a refusal (exit 5) where one stands. */
export function refuseDirectory(path: string, state: PathState): void {
  if (state.kind === 'directory')
    throw refusal(`${path} should be a link`, 'a directory stands there', `move ${path} away`)
}
