/** How a file on the host differs from the wanted one, and the commands that mend it. Shared by all kinds of resource that are kept in files. */
import { createHash } from 'node:crypto'
import { change, changeByScript, temporaryPath } from '../core/command.ts'
import { refusal } from '../core/failure.ts'
import type { Command, Know } from '../core/host.ts'
import type { Change } from '../core/resource.ts'
import { contentFact, digestFact, type PathState, pathFact } from '../facts/path.ts'
import { unifiedDiff } from './diff.ts'

/** `owner` and `group` are names or numbers, `mode` octal digits. */
export type Ownership = Readonly<{ owner: string | number; group: string | number; mode: string }>

/** A file but for its content. `check` gives the argv of a program that must accept the candidate. */
export type WantedFile = Ownership &
  Readonly<{
    path: string
    isPrivate?: boolean
    check?: (candidate: string) => readonly [string, ...string[]]
  }>

/** Bigger files are compared by digest and shown without a diff. */
const DIFF_BYTES_MAX = 256 * 1024

/** Why owner or mode are not as wanted; empty when they are. */
export function ownershipFaults(state: PathState, { owner, group, mode }: Ownership): readonly string[] {
  if (state.kind === 'absent') return []
  const isOwner = typeof owner === 'number' ? state.uid === owner : state.owner === owner
  const isGroup = typeof group === 'number' ? state.gid === group : state.group === group
  const wantedMode = mode.padStart(4, '0')
  return [
    ...(isOwner && isGroup ? [] : [`it belongs to ${state.owner}:${state.group}, not ${owner}:${group}`]),
    ...(state.mode === wantedMode ? [] : [`its mode is ${state.mode}, not ${wantedMode}`]),
  ]
}

/** Mends owner and mode. In this order: chown takes away set-user-ID bits. */
export function ownershipCommands(path: string, { owner, group, mode }: Ownership): readonly [Command, Command] {
  return [change('chown', '-h', `${owner}:${group}`, '--', path), change('chmod', mode, '--', path)]
}

/** Written beside its place, flushed, checked, renamed: at every moment there is the old file or the new one, whole. */
function writeCommands(wanted: WantedFile, content: string): readonly [Command, ...Command[]] {
  const candidate = temporaryPath(wanted.path)
  const write = 'umask 077; rm -f -- "$1"; cat >"$1"; chown "$2" -- "$1"; chmod "$3" -- "$1"; sync -- "$1"'
  const rename = 'mv -fT -- "$1" "$2"; sync -- "${2%/*}/"'
  return [
    changeByScript(write, [candidate, `${wanted.owner}:${wanted.group}`, wanted.mode], content),
    ...(wanted.check === undefined ? [] : [{ argv: wanted.check(candidate), effect: 'change' } as const]),
    changeByScript(rename, [candidate, wanted.path]),
  ]
}

async function differenceOf(know: Know, wanted: WantedFile, state: PathState, content: string): Promise<string> {
  if (wanted.isPrivate === true) return ''
  if (state.kind !== 'file') return unifiedDiff(wanted.path, undefined, content)
  if (state.bytes > DIFF_BYTES_MAX) return ''
  return unifiedDiff(wanted.path, await know(contentFact(wanted.path)), content)
}

/**
 * The changes that make the file as wanted. The content may still be under way: what is asked here goes out in the same turn.
 * A differing text is fetched in a second one, for the diff.
 */
export async function planFile(
  know: Know,
  wanted: WantedFile,
  wantedContent: string | Promise<string>,
): Promise<readonly Change[]> {
  const { path } = wanted
  const [state, digest, content] = await Promise.all([know(pathFact(path)), know(digestFact(path)), wantedContent])
  if (state.kind === 'directory' || state.kind === 'other') {
    throw refusal(`${path} should be a file`, 'something else stands there', `move ${path} away`)
  }
  const isSame = digest === createHash('sha256').update(content).digest('hex')
  if (!isSame || state.kind !== 'file') {
    const because =
      state.kind === 'absent' ? 'it is absent' : state.kind === 'link' ? 'a link stands there' : 'its content differs'
    const diff = await differenceOf(know, wanted, state, content)
    const commands = writeCommands(wanted, content)
    return [{ does: `write ${path}`, because, commands, ...(diff === '' ? {} : { diff }) }]
  }
  const faults = ownershipFaults(state, wanted)
  if (faults.length === 0) return []
  return [
    { does: `set owner and mode of ${path}`, because: faults.join('; '), commands: ownershipCommands(path, wanted) },
  ]
}
