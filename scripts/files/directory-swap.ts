/** Folders that are built in a staging folder and swapped into place atomically: an unpacked archive, a release. */
import { changeCommand, scriptCommand } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { Change } from '../core/resource.ts'

/** Returns the staging folder of a path: one for all versions in the same parent, so that a later run finds what a killed one left. */
export function stagingFolder(path: string): string {
  return `${path.slice(0, path.lastIndexOf('/'))}/.tappass-new`
}

/** Returns the folder to fill, inside the staging folder. */
export function stagedPath(staging: string): string {
  return `${staging}/made`
}

/** Empties the staging folder and creates the folder to fill. */
export function prepareStaging(staging: string): Command {
  return scriptCommand('rm -rf -- "$1"; mkdir -p -- "$2"', [staging, stagedPath(staging)])
}

/** Flushes the staged folder, renames it into place, and removes the old one. */
export function swapInto(staging: string, path: string): Command {
  return scriptCommand(
    'sync -f -- "$2"; [ ! -e "$3" ] || mv -T -- "$3" "$1/old"; mv -T -- "$2" "$3"; sync -- "${3%/*}/"; rm -rf -- "$1"',
    [staging, stagedPath(staging), path],
  )
}

/** The change for a staging folder that is left over when nothing has to be staged. */
export function removeStaging(staging: string): Change {
  return {
    action: `remove ${staging}`,
    reason: 'an interrupted run left it',
    commands: [changeCommand('rm', '-rf', '--', staging)],
  }
}
