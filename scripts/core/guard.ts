/**
 * Changes that could cut the operator off are guarded: what they touch is kept beforehand, and a timer on the host puts it back unless
 * somebody says in time, over a new connection, that the host is still reached. What is kept outlives a reboot.
 */
import { HOST_PATH } from '../../contract/path.ts'
import { scriptCommand } from './command.ts'
import type { Command } from './host.ts'
import { quoteAll } from './quoting.ts'

/**
 * What a change touches: files and folders (absent ones too), and units. Names hold no white space. `reload` is a line of shell that brings back
 * in force what the files say, where no unit does.
 */
export type Guard = Readonly<{ paths: readonly string[]; units: readonly string[]; reload?: string }>

/** How long the host waits for the confirmation, in seconds: a new SSH connection takes one or two. */
export const GUARD_SECONDS = 40

/** Exit code of the confirmation, when everything was put back already. */
export const GUARD_EXPIRED_CODE = 3

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
sync
[ "$failed" -eq 0 ] || { echo 'not everything could be put back' >&2; exit 1; }
rm -rf undone; mv pending undone; sync -- .; rm -rf undone
logger -t tappass-guard 'a change was not confirmed: put back what was there before' 2>/dev/null
systemctl stop ${GUARD_TIMER}.timer 2>/dev/null
exit 0
`

const ARM_SCRIPT = `folder=$1 seconds=$2 reload=$3; shift 3
umask 077; mkdir -p -- "$folder"; cd "$folder"
exec 9>lock; flock 9
[ ! -d pending ] || { echo 'a change before this one was not confirmed, and is not put back yet' >&2; exit 1; }
cat >restore
rm -rf new; mkdir -p new/files; : >new/paths; : >new/units; printf '%s\\n' "$reload" | sed '/^$/d' >new/reload
number=0
while [ "$1" != -- ]; do
  number=$((number + 1)); printf '%s\\n' "$1" >>new/paths
  if [ -e "$1" ] || [ -L "$1" ]; then cp -a -- "$1" "new/files/$number"; fi
  shift
done
shift
for unit; do
  active=$(systemctl is-active "$unit" 2>/dev/null) || true
  enabled=$(systemctl is-enabled "$unit" 2>/dev/null) || true
  printf '%s %s %s\\n' "$unit" "\${active:-inactive}" "\${enabled:-disabled}" >>new/units
done
sync
systemctl stop ${GUARD_TIMER}.timer ${GUARD_TIMER}.service 2>/dev/null || true
systemd-run --quiet --collect --unit=${GUARD_TIMER} --on-active="$seconds" --timer-property=AccuracySec=1s sh "$folder/restore" "$folder"
mv new pending; sync -- .`

const CONFIRM_SCRIPT = `cd "$1" || exit ${GUARD_EXPIRED_CODE}
exec 9>lock; flock 9
[ -d pending ] || exit ${GUARD_EXPIRED_CODE}
rm -rf confirmed; mv pending confirmed; sync -- .
systemctl stop ${GUARD_TIMER}.timer 2>/dev/null || true
rm -rf confirmed`

/** Returns the line of shell that runs a command: what puts back a change of which no file is kept. */
export function commandLine({ argv, stdin = '' }: Command): string {
  return `${quoteAll(['printf', '%s', String(stdin)])} | ${quoteAll(argv)}`
}

/** Keeps what the change touches, and starts the timer. Fails while another change waits for its confirmation. */
export function armCommand({ paths, units, reload = '' }: Guard, folder: string = HOST_PATH.guardFolder): Command {
  return scriptCommand(ARM_SCRIPT, [folder, `${GUARD_SECONDS}`, reload, ...paths, '--', ...units], RESTORE_SCRIPT)
}

/** Confirms the change. Ends with `GUARD_EXPIRED_CODE` when it was put back before. */
export function confirmCommand(folder: string = HOST_PATH.guardFolder): Command {
  return scriptCommand(CONFIRM_SCRIPT, [folder])
}

/** Puts back at once what was there before; does nothing when no change waits. */
export function restoreCommand(folder: string = HOST_PATH.guardFolder): Command {
  return scriptCommand('[ ! -e "$1/restore" ] || sh "$1/restore" "$1"', [folder])
}
