/** How files and units go when nothing of ours is to be left on a host. */
import { HOST_PATH } from '../../contract/path.ts'
import { changeCommand, scriptCommand, within } from '../core/command.ts'
import type { GetFact } from '../core/host.ts'
import type { Change } from '../core/resource.ts'
import { RELOAD_COMMAND, unitPath } from '../core/unit-command.ts'
import { isNamedOurs, madeRecordFact } from '../facts/made-record.ts'
import { pathFact } from '../facts/path.ts'
import { unitFact } from '../facts/unit.ts'

/** Folders that are ours alone: what is in them goes with them. */
export const OWN_FOLDERS: readonly string[] = [
  HOST_PATH.configFolder,
  HOST_PATH.programFolder,
  HOST_PATH.runtimeFolder,
  HOST_PATH.stateFolder,
]

/** Whether a path is in one of them. */
export function isBelowOwnFolder(path: string): boolean {
  return OWN_FOLDERS.some((folder) => path.startsWith(`${folder}/`))
}

/** Why a thing goes. */
export const REMOVAL_REASON = 'TapPass is uninstalled'

/** The removal of a file or link: one that is ours by its name, or that was not there before us. One of somebody else stays. */
export async function planFileAbsent(getFact: GetFact, path: string): Promise<readonly Change[]> {
  if (isBelowOwnFolder(path)) return []
  const [{ kind }, made] = await Promise.all([getFact(pathFact(path)), getFact(madeRecordFact)])
  if (kind === 'absent' || kind === 'directory') return []
  if (!isNamedOurs(path) && !made.has('path', path)) return []
  const remove = changeCommand('rm', '-f', '--', path)
  const isUnit = path.startsWith(unitPath(''))
  return [{ action: `remove ${path}`, reason: REMOVAL_REASON, commands: isUnit ? [remove, RELOAD_COMMAND] : [remove] }]
}

/** Longer than the longest stop of a unit of ours. */
const STOP_MINUTES = 40

const REMOVE_UNIT = `systemctl disable --now "$1" 2>/dev/null || systemctl stop "$1"
rm -f -- "$2"; systemctl daemon-reload; systemctl reset-failed "$1" 2>/dev/null || true`

/** What systemd keeps of a unit of ours: the time of its timer, and a folder in /run that outlives its stop. */
const REMOVE_TRACES = `rm -f -- "/var/lib/systemd/timers/stamp-$1"; case $1 in tappass-*.service) rm -rf -- "/run/\${1%.service}" ;; esac`

/** The removal of a unit of ours: stopped, disabled, its file removed. A process without its file is stopped, too. */
export async function planUnitAbsent(
  getFact: GetFact,
  name: string,
  reason: string = REMOVAL_REASON,
): Promise<readonly Change[]> {
  const path = unitPath(name)
  const [file, { active, enabled }] = await Promise.all([getFact(pathFact(path)), getFact(unitFact(name))])
  const isIdle = active === 'inactive' || active === 'deactivating'
  if (file.kind === 'absent' && isIdle && enabled !== 'enabled') return []
  const command = within(STOP_MINUTES, scriptCommand(`${REMOVE_UNIT}\n${REMOVE_TRACES}`, [name, path]))
  return [{ action: `stop and remove ${name}`, reason, commands: [command] }]
}

/**
 * The removal of the file of a template unit of ours, whose instances are gone by now. systemd made a slice for them and keeps it, empty, until the
 * next boot (`systemd.slice(5)`: dashes of the name are escaped).
 */
export async function planTemplateAbsent(getFact: GetFact, name: string): Promise<readonly Change[]> {
  const slice = `system-${name.slice(0, name.indexOf('@')).replaceAll('-', String.raw`\x2d`)}.slice`
  const stop = changeCommand('systemctl', 'stop', '--', slice)
  return (await planFileAbsent(getFact, unitPath(name))).map((change) => ({
    ...change,
    commands: [...change.commands, stop],
  }))
}
