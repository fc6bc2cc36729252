/**
 * Changes that could cut the operator off are guarded: what they touch is kept beforehand, and a timer on the host puts it back unless
 * somebody says in time, over a new connection, that the host is still reached. What is kept outlives a reboot.
 */
import { EXIT_CODE } from '../../contract/exit-code.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand } from './command.ts'
import type { Command } from './host.ts'
import { quoteAll } from './quoting.ts'

/** A unit that takes the place of others, or they its: put back without a gap, with `standby` in front of it while it is restarted. */
export type ServingUnit = Readonly<{ name: string; standby?: string }>

/**
 * What a change touches: files and folders (absent ones too), and units. Names hold no white space. `reload` is a line of shell that brings back
 * in force what the files say, where no unit does. Of the `serving` units those that were active are up again before the others are stopped, and
 * a process that was not exchanged goes on.
 */
export type Guard = Readonly<{
  paths: readonly string[]
  units: readonly string[]
  reload?: string
  serving?: readonly ServingUnit[]
}>

/** How long the host waits for the confirmation, in seconds: a new SSH connection takes one or two. */
export const GUARD_SECONDS = 40

/** How long where the confirmation says, too, that the ingress answers from outside. */
export const SERVING_GUARD_SECONDS = 60

/** Returns how long the host waits for the confirmation of such a change, in seconds. */
export function guardSeconds({ serving = [] }: Guard): number {
  return serving.length === 0 ? GUARD_SECONDS : SERVING_GUARD_SECONDS
}

/** Returns one guard of all that these touch. */
export function mergeGuards(guards: readonly Guard[]): Guard {
  const all = (of: (guard: Guard) => readonly string[]) => [...new Set(guards.flatMap(of))]
  return {
    paths: all(({ paths }) => paths),
    units: all(({ units }) => units),
    reload: all(({ reload = '' }) => (reload === '' ? [] : [reload])).join('\n'),
    serving: guards.flatMap(({ serving = [] }) => serving),
  }
}

/** Exit code of the confirmation, when everything was put back already. */
export const GUARD_EXPIRED_CODE = 3

/** What is put back may have to wait for open streams of an ingress: twice the time that they are given to end. */
const RESTORE_MAX_SECONDS = 660

/** The transient timer. */
export const GUARD_TIMER = 'tappass-guard-window'

/** Its argument is the folder. Each part may be run again: only at its end is anything forgotten. */
const RESTORE_SCRIPT = `#!/bin/sh
# Puts back what was there before a change that nobody confirmed. Written by the toolkit of TapPass.
cd "$1" || exit 0
exec 9>lock; flock 9
[ -d pending ] || exit 0
failed=0
while read -r unit active enabled; do
  [ "$enabled" = enabled ] || systemctl --quiet disable "$unit" 2>/dev/null
  [ "$active" = active ] || systemctl stop "$unit" 2>/dev/null
done <pending/units
while read -r unit standby active enabled pid; do
  [ "$enabled" = enabled ] || systemctl --quiet disable "$unit" 2>/dev/null
done <pending/serving
number=0
while read -r path; do
  number=$((number + 1))
  if [ -e "pending/files/$number" ] || [ -L "pending/files/$number" ]; then
    new="\${path%/*}/.tappass-guard-new"
    rm -rf -- "$new"
    if cp -a -- "pending/files/$number" "$new"; then
      [ ! -d "$path" ] || rm -rf -- "$path"
      mv -fT -- "$new" "$path" || failed=1
    else failed=1; fi
  elif [ -d "$path" ]; then rm -rf -- "$path" || failed=1
  else rm -f -- "$path" || failed=1; fi
done <pending/paths
systemctl daemon-reload || failed=1
while read -r unit active enabled; do
  [ "$enabled" != enabled ] || systemctl --quiet enable "$unit" || failed=1
  [ "$active" != active ] || systemctl reload-or-restart "$unit" || failed=1
done <pending/units
[ ! -s pending/reload ] || sh pending/reload >&2 || failed=1
while read -r unit standby active enabled pid; do
  [ "$enabled" != enabled ] || systemctl --quiet enable "$unit" || failed=1
  [ "$active" = active ] || continue
  now=$(systemctl show --property=MainPID --value "$unit")
  if [ "$(cat /proc/sys/kernel/random/boot_id)/$now" = "$pid" ] && systemctl --quiet is-active "$unit"; then continue; fi
  if [ "$standby" != - ]; then systemctl start "$standby" || :; fi
  if ! systemctl restart "$unit"; then failed=1
  elif [ "$standby" != - ]; then systemctl stop "$standby" || :; fi
done <pending/serving
while read -r unit standby active enabled pid; do
  [ "$active" = active ] || systemctl stop "$unit" 2>/dev/null || :
done <pending/serving
sync
[ "$failed" -eq 0 ] || { echo 'not everything could be put back' >&2; exit 1; }
echo undone >ended; rm -rf undone; mv pending undone; sync -- .; rm -rf undone
logger -t tappass-guard 'a change was not confirmed: put back what was there before' 2>/dev/null
systemctl stop ${GUARD_TIMER}.timer 2>/dev/null
exit 0
`

/** The arguments: paths, `--`, units, `--`, and each unit that serves with its standby (`-`: none). */
const ARM_SCRIPT = `folder=$1 seconds=$2 reload=$3; shift 3
umask 077; mkdir -p -- "$folder"; cd "$folder"
exec 9>lock; flock 9; rm -f refused
[ ! -d pending ] || { echo 'a change before this one was not confirmed, and is not put back yet' >&2; exit 1; }
cat >restore
rm -rf new; mkdir -p new/files; : >new/paths; : >new/units; : >new/serving; printf '%s\\n' "$reload" | sed '/^$/d' >new/reload
number=0
while [ "$1" != -- ]; do
  number=$((number + 1)); printf '%s\\n' "$1" >>new/paths
  if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "new/files/$number"; fi
  shift
done
shift
state() {
  active=$(systemctl is-active "$1" 2>/dev/null) || true
  enabled=$(systemctl is-enabled "$1" 2>/dev/null) || true
}
while [ "$1" != -- ]; do
  state "$1"; printf '%s %s %s\\n' "$1" "\${active:-inactive}" "\${enabled:-disabled}" >>new/units; shift
done
shift
while [ "$#" -gt 0 ]; do
  state "$1"; pid=$(systemctl show --property=MainPID --value "$1" 2>/dev/null) || true
  printf '%s %s %s %s %s\\n' "$1" "$2" "\${active:-inactive}" "\${enabled:-disabled}" "$(cat /proc/sys/kernel/random/boot_id)/\${pid:-0}" >>new/serving; shift 2
done
sync
systemctl stop ${GUARD_TIMER}.timer ${GUARD_TIMER}.service 2>/dev/null || true
systemd-run --quiet --collect --unit=${GUARD_TIMER} --on-active="$seconds" --timer-property=AccuracySec=1s sh "$folder/restore" "$folder"
mv new pending; sync -- .`

/** With a name as second argument, of that change only. */
const CONFIRM_SCRIPT = `cd "$1" || exit ${GUARD_EXPIRED_CODE}
exec 9>lock; flock 9
[ -d pending ] || exit ${GUARD_EXPIRED_CODE}
[ -z "$2" ] || [ "$2" = "$(cat pending/awaited 2>/dev/null)" ] || exit ${GUARD_EXPIRED_CODE}
echo confirmed >ended; rm -rf confirmed; mv pending confirmed; sync -- .
systemctl stop ${GUARD_TIMER}.timer 2>/dev/null || true
rm -rf confirmed`

/** Returns the line of shell that runs a command: what puts back a change of which no file is kept. */
export function commandLine({ argv, stdin = '' }: Command): string {
  return `${quoteAll(['printf', '%s', String(stdin)])} | ${quoteAll(argv)}`
}

/** Keeps what the change touches, and starts the timer. Fails while another change waits for its confirmation. */
export function armCommand(guard: Guard, folder: string = HOST_PATH.guardFolder): Command {
  const { paths, units, reload = '', serving = [] } = guard
  const states = serving.flatMap(({ name, standby = '-' }) => [name, standby])
  const args = [folder, `${guardSeconds(guard)}`, reload, ...paths, '--', ...units, '--', ...states]
  return scriptCommand(ARM_SCRIPT, args, RESTORE_SCRIPT)
}

const RENEW_SCRIPT = `cd "$1" || exit ${GUARD_EXPIRED_CODE}
exec 9>lock; flock 9
[ -d pending ] || exit ${GUARD_EXPIRED_CODE}
systemctl restart ${GUARD_TIMER}.timer`

/** Has the time begin again, while a change of several steps is made. Ends with `GUARD_EXPIRED_CODE` when it was put back before. */
export function renewCommand(folder: string = HOST_PATH.guardFolder): Command {
  return scriptCommand(RENEW_SCRIPT, [folder])
}

/** Names the change that waits: whoever hears of it later, when another one may wait, answers for this one only. */
export function awaitedCommand(name: string, folder: string = HOST_PATH.guardFolder): Command {
  return scriptCommand('[ ! -d "$1/pending" ] || printf "%s\n" "$2" >"$1/pending/awaited"', [folder, name])
}

/** Confirms the change (of that name). Ends with `GUARD_EXPIRED_CODE` when it was put back before. */
export function confirmCommand(name = '', folder: string = HOST_PATH.guardFolder): Command {
  return scriptCommand(CONFIRM_SCRIPT, [folder, name])
}

/** After the time of the guard: by then the timer of the host has put back what was not confirmed. */
const RESTORE_SECONDS = 20

const AWAIT_SCRIPT = `cd "$1" || exit ${GUARD_EXPIRED_CODE}
tries=$(($2 * 5))
while [ -d pending ] && [ "$tries" -gt 0 ]; do sleep 0.2; tries=$((tries - 1)); done
exec 9>lock; flock 9
[ ! -d pending ] || exit ${GUARD_EXPIRED_CODE}
[ "$(cat ended 2>/dev/null)" = confirmed ] && exit 0
[ -s refused ] || exit ${GUARD_EXPIRED_CODE}
cat refused >&2; exit ${EXIT_CODE.unreachable}`

/**
 * Waits until somebody else has confirmed the change. Ends with `GUARD_EXPIRED_CODE` when it was put back instead, and with exit code 6 and the
 * reason when whoever was to confirm it could not.
 */
export function awaitConfirmationCommand(seconds: number, folder: string = HOST_PATH.guardFolder): Command {
  const wait = seconds + RESTORE_SECONDS
  // Beside a restoration that waits for streams to end.
  return { ...scriptCommand(AWAIT_SCRIPT, [folder, `${wait}`]), deadlineMs: (wait + RESTORE_MAX_SECONDS) * 1000 }
}

/** Puts back at once what was there before; does nothing when no change waits. */
export function restoreCommand(folder: string = HOST_PATH.guardFolder): Command {
  const command = scriptCommand('[ ! -e "$1/restore" ] || sh "$1/restore" "$1"', [folder])
  return { ...command, deadlineMs: RESTORE_MAX_SECONDS * 1000 }
}

const REFUSE_SCRIPT = `cd "$1" && [ "$2" = "$(cat pending/awaited 2>/dev/null)" ] || exit 0
printf '%s\\n' "$3" >refused; sh ./restore "$1"`

/** Puts back the change of that name at once, and tells whoever waits why it could not be confirmed. */
export function refuseCommand(name: string, reason: string, folder: string = HOST_PATH.guardFolder): Command {
  return { ...scriptCommand(REFUSE_SCRIPT, [folder, name, reason]), deadlineMs: RESTORE_MAX_SECONDS * 1000 }
}
