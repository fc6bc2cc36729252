/** The record of what was not there before us, on the host itself: a line is written before the thing is made, so that a killed run leaves none out. */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand } from '../core/command.ts'
import type { Command, Fact } from '../core/host.ts'

/** `package`: with all that it brought along; `engine`: Docker came with us, and what it needed to know of the host before. */
export type MadeKind = 'path' | 'account' | 'package' | 'image' | 'group' | 'engine'

/** Whether something was made by us. What is not recorded was there, or nobody knows: it stays. */
export type MadeRecord = Readonly<{
  has: (kind: MadeKind, name: string) => boolean
  all: (kind: MadeKind) => readonly string[]
}>

/** The shell function `made KIND NAME`; it never fails the script that it stands in. */
export const MADE_FUNCTION = `made() ( umask 022; mkdir -p -- ${HOST_PATH.configFolder}; grep -qsxF -- "$1 $2" ${HOST_PATH.madeRecord} || printf '%s %s\\n' "$1" "$2" >>${HOST_PATH.madeRecord}; sync -- ${HOST_PATH.madeRecord} )`

/** Records that a thing is about to be made. */
export function recordMadeCommand(kind: MadeKind, name: string): Command {
  return scriptCommand(`${MADE_FUNCTION}\nmade "$1" "$2"`, [kind, name])
}

/** Takes lines back, once the thing is gone or was found to be used by others. */
export function forgetMadeCommand(kind: MadeKind, name: string): Command {
  const script = '[ ! -e "$1" ] || { grep -vxF -- "$2" "$1" >"$1.new" || :; mv -fT -- "$1.new" "$1"; }'
  return scriptCommand(script, [HOST_PATH.madeRecord, `${kind} ${name}`])
}

/** What is recorded. */
export const madeRecordFact: Fact<MadeRecord> = {
  query: { argv: ['cat', '--', HOST_PATH.madeRecord], effect: 'read' },
  parse: ({ stdout }) => {
    const lines = new Set(stdout.split('\n'))
    return {
      has: (kind, name) => lines.has(`${kind} ${name}`),
      all: (kind) =>
        [...lines].filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1)),
    }
  },
}

/** Whether a path says by its own name that it is ours: nobody needs a record of it. */
export function isNamedOurs(path: string): boolean {
  return /(^|[^a-z])tappass/.test(path)
}
