/** The one way in which a symbolic link is switched. */
import { changeByScript, temporaryPath } from './command.ts'
import type { Command } from './host.ts'

/** Makes the link beside its place and renames it: nobody ever finds none. */
export const linkCommand = (path: string, target: string): Command =>
  changeByScript('mkdir -p -- "${1%/*}/"; rm -f -- "$2"; ln -s -- "$3" "$2"; mv -fT -- "$2" "$1"; sync -- "${1%/*}/"', [
    path,
    temporaryPath(path),
    target,
  ])
