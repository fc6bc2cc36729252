/** Folders that are made beside their place and swapped in whole: an unpacked archive, a release. */
import { change, changeByScript } from '../core/command.ts'
import type { Command } from '../core/host.ts'
import type { Change } from '../core/resource.ts'

/** Where a folder is made ready: one place beside all of its versions, so that what a killed run left there is found whatever is wanted by then. */
export function workshop(path: string): string {
  return `${path.slice(0, path.lastIndexOf('/'))}/.tappass-new`
}

/** The folder to fill, in the workshop. */
export function madeIn(shop: string): string {
  return `${shop}/made`
}

/** Clears the workshop and makes the folder to fill. */
export function openWorkshop(shop: string): Command {
  return changeByScript('rm -rf -- "$1"; mkdir -p -- "$2"', [shop, madeIn(shop)])
}

/** Flushes what was made, puts it in its place, and takes what stood there away. */
export function swapIn(shop: string, path: string): Command {
  return changeByScript(
    'sync -f -- "$2"; [ ! -e "$3" ] || mv -T -- "$3" "$1/old"; mv -T -- "$2" "$3"; sync -- "${3%/*}/"; rm -rf -- "$1"',
    [shop, madeIn(shop), path],
  )
}

/** For a workshop that is there though nothing is to be made. */
export function clearWorkshop(shop: string): Change {
  return {
    does: `remove ${shop}`,
    because: 'a run that was killed left it',
    commands: [change('rm', '-rf', '--', shop)],
  }
}
