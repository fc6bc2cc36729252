/** How a file on the host differs from the desired one, and the commands that correct it. Used by all resources that are kept in files. */
import { changeCommand, scriptCommand, temporaryPath } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import type { Command, GetFact } from '../core/host.ts'
import { quoteAll } from '../core/quoting.ts'
import type { Change } from '../core/resource.ts'
import { sha256Of } from '../core/sha256.ts'
import { isNamedOurs, recordMadeCommand } from '../facts/made-record.ts'
import { contentFact, digestFact, type PathState, pathFact } from '../facts/path.ts'

/** `owner` and `group` are names or numbers, `mode` octal digits. */
export type Ownership = Readonly<{ owner: string | number; group: string | number; mode: string }>

/** What only root changes, and everybody may read. */
export const ROOT_FILE = { owner: 'root', group: 'root', mode: '0644' } as const satisfies Ownership

/** The desired state of a file without its content. `check` returns the argv of a program that must accept the candidate file. */
export type FileSpec = Ownership &
  Readonly<{
    path: string
    isPrivate?: boolean
    check?: (candidate: string) => readonly [string, ...string[]]
  }>

/** Larger files are compared by digest and shown without a diff. */
const DIFF_BYTES_MAX = 256 * 1024

/** Returns how owner and mode differ from the desired ones; empty when they don't. */
export function ownershipDifferences(state: PathState, { owner, group, mode }: Ownership): readonly string[] {
  if (state.kind === 'absent') return []
  const isOwner = typeof owner === 'number' ? state.uid === owner : state.owner === owner
  const isGroup = typeof group === 'number' ? state.gid === group : state.group === group
  const desiredMode = mode.padStart(4, '0')
  return [
    ...(isOwner && isGroup ? [] : [`its owner is ${state.owner}:${state.group}, not ${owner}:${group}`]),
    ...(state.mode === desiredMode ? [] : [`its mode is ${state.mode}, not ${desiredMode}`]),
  ]
}

/** Sets owner and mode, in this order: chown clears set-user-ID bits. */
export function ownershipCommands(path: string, { owner, group, mode }: Ownership): readonly [Command, Command] {
  return [changeCommand('chown', '-h', `${owner}:${group}`, '--', path), changeCommand('chmod', mode, '--', path)]
}

/** Returns the commands that write a temporary file in the same folder, flush, check and rename it: at every moment the old or the new file is there, complete. */
export function writeCommands(desired: FileSpec, content: string): readonly [Command, ...Command[]] {
  const candidate = temporaryPath(desired.path)
  const write = 'umask 077; rm -f -- "$1"; cat >"$1"; chown "$2" -- "$1"; chmod "$3" -- "$1"; sync -- "$1"'
  const rename = 'mv -fT -- "$1" "$2"; sync -- "${2%/*}/"'
  return [
    scriptCommand(write, [candidate, `${desired.owner}:${desired.group}`, desired.mode], content),
    ...(desired.check === undefined ? [] : [{ argv: desired.check(candidate), effect: 'change' } as const]),
    scriptCommand(rename, [candidate, desired.path]),
  ]
}

async function diffOf(getFact: GetFact, desired: FileSpec, state: PathState, content: string): Promise<string> {
  if (desired.isPrivate === true) return ''
  if (state.kind === 'file' && state.bytes > DIFF_BYTES_MAX) return ''
  const before = state.kind === 'file' ? await getFact(contentFact(desired.path)) : undefined
  // Its library is loaded when something differs.
  const { unifiedDiff } = await import('./diff.ts')
  return unifiedDiff(desired.path, before, content)
}

/**
 * Returns the changes that bring the file up to date. The content may be a promise: facts are requested in the same turn.
 * Only a file that differs is read, in a second turn, for the diff. Throws a `Failure` (exit 5) where no file can be.
 */
export async function planFile(
  getFact: GetFact,
  desired: FileSpec,
  desiredContent: string | Promise<string>,
): Promise<readonly Change[]> {
  const { path } = desired
  const [state, digest, content] = await Promise.all([
    getFact(pathFact(path)),
    getFact(digestFact(path)),
    desiredContent,
  ])
  if (state.kind === 'directory' || state.kind === 'other') {
    throw refusedFailure(
      `${path} is not a file`,
      state.kind === 'directory' ? 'it is a directory' : 'it is a device, a socket or a pipe',
      `move it away: ${quoteAll(['mv', path, `${path}.old`])}`,
    )
  }
  const isSame = digest === sha256Of(content)
  if (!isSame || state.kind !== 'file') {
    const reason =
      state.kind === 'absent' ? 'it is absent' : state.kind === 'link' ? 'it is a link' : 'its content differs'
    const diff = await diffOf(getFact, desired, state, content)
    const write = writeCommands(desired, content)
    const isNew = state.kind === 'absent' && !isNamedOurs(path)
    const commands = isNew ? ([recordMadeCommand('path', path), ...write] as const) : write
    return [{ action: `write ${path}`, reason, commands, ...(diff === '' ? {} : { diff }) }]
  }
  const differences = ownershipDifferences(state, desired)
  if (differences.length === 0) return []
  return [
    {
      action: `set owner and mode of ${path}`,
      reason: differences.join('; '),
      commands: ownershipCommands(path, desired),
    },
  ]
}
