/** The commands by which a run becomes a unit of its host, is watched there, and is asked to stop. */
import { HOST_PATH } from '../../contract/path.ts'
import { HOST_ENVIRONMENT } from '../connection/batch.ts'
import { RUN_UNIT } from '../converge/host-lock.ts'
import { resumableOf, scriptCommand, within } from '../core/command.ts'
import type { Command, Stdin } from '../core/host.ts'
import { JOB_PATH } from './job-file.ts'

/** A file of hundreds of megabytes over a slow line. */
const SEND_MINUTES = 60

/**
 * Makes the folders anew. What an earlier run has left is nobody's any more: the lock is held. Only what has arrived of a file that `sending` sends again
 * stays, so that the transfer goes on behind it.
 */
export async function prepareCommand(job: string, sending: readonly Command[]): Promise<Command> {
  const script = `umask 077; rm -rf -- "$1"; mkdir -p -- "$1/secrets" "$2"; cat >"$1/job.json"; : >"$1/events.jsonl"; : >"$1/watchers"
for each in "$2"/*; do
  name=\${each##*/}; case " $3 " in *" \${name%%.*} "*) ;; *) rm -rf -- "$each" ;; esac
done`
  const inputs = await Promise.all(sending.map(({ stdin }) => resumableOf(stdin)))
  const partial = inputs.flatMap((input) => input?.sha256 ?? [])
  return scriptCommand(script, [HOST_PATH.runFolder, HOST_PATH.sentFilesFolder, partial.join(' ')], job)
}

/** Writes a secret that was provided. */
export function sendSecretCommand(path: string, value: string): Command {
  return { ...scriptCommand('umask 077; cat >"$1"', [path], value), isSecret: true }
}

/** Writes a file of the controller. What has arrived in a file already gets a name. */
export function sendFileCommand(path: string, content: Stdin): Command {
  const script = 'umask 077; rm -f -- "$1"; ln -L -- /proc/self/fd/0 "$1" 2>/dev/null || cat >"$1"'
  return within(SEND_MINUTES, scriptCommand(script, [path], content))
}

/** Unpacks the pages of the site. */
export function sendPagesCommand(folder: string, content: Stdin): Command {
  return within(
    SEND_MINUTES,
    scriptCommand('umask 077; mkdir -p -- "$1"; tar -xzf - -C "$1" --no-same-owner', [folder], content),
  )
}

/** The exit code of `freeUnitCommand` where a run goes on. */
export const RUNNING_CODE = 75

/**
 * A unit of that name that has ended is still loaded while something is left in its control group, as a child of a killed run: no unit can be started under it then. Such a process goes
 * on in a scope of its own. With one that is ending it waits for that; of one that runs it touches nothing.
 */
const FREE_SCRIPT = `unit=$1
state() { systemctl show --property="$1" --value -- "$unit"; }
for try in $(seq 100); do
  [ "$(state LoadState)" != not-found ] || exit 0
  case "$(state ActiveState)" in
    inactive|failed)
      group=$(state ControlGroup)
      left=$(cat -- "$2$group/cgroup.procs" "$2/systemd$group/cgroup.procs" "$2/unified$group/cgroup.procs" 2>/dev/null | sort -nu | tr '\\n' ' ') || :
      [ -z "$group" ] || [ -z "$left" ] || busctl --quiet call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager \
        StartTransientUnit 'ssa(sv)a(sa(sv))' "\${unit%.service}-left-$(date +%s%N).scope" fail 1 PIDs au $(echo "$left" | wc -w) $left 0 || :
      systemctl reset-failed -- "$unit" 2>/dev/null || : ;;
    deactivating) ;;
    *) echo "$unit is running: process $(state MainPID), since $(state ActiveEnterTimestamp)" >&2; exit ${RUNNING_CODE} ;;
  esac
  sleep 0.1
done
echo "$unit has ended and stays loaded: see systemctl status $unit" >&2; exit 1`

/** Makes the name of the unit free, before anything of an earlier run is touched. */
export function freeUnitCommand(groups = '/sys/fs/cgroup'): Command {
  return scriptCommand(FREE_SCRIPT, [RUN_UNIT, groups])
}

/** A step that is under way is seen to its end when the host is shut down; the longest that one usually takes. */
const STOP_SECONDS = 90

/** Where the toolkit of a host is: the program of Node, and the folder of the release. `remove` is a folder that goes with the end of the unit. */
export type ToolkitPlace = Readonly<{ node: string; release: string; remove?: string }>

/** Starts the unit. It belongs to no session and no connection; what it was given is gone when it has ended, however that was. */
export function startCommand({ node, release, remove }: ToolkitPlace): Command {
  const environment = { ...HOST_ENVIRONMENT, HOME: '/root' }
  const properties = [
    'Description=A run of the TapPass toolkit',
    'Type=exec',
    // SIGTERM is for the toolkit, which lets its step finish. What a killed one leaves running (apt, a pull) goes on, and the next run waits for it.
    'KillMode=process',
    `TimeoutStopSec=${STOP_SECONDS}`,
    `ExecStopPost=/bin/rm -rf -- ${[JOB_PATH.secrets, HOST_PATH.sentFilesFolder, ...(remove === undefined ? [] : [remove])].join(' ')}`,
  ]
  const argv = [
    ...['systemd-run', '--quiet', '--collect', `--unit=${RUN_UNIT}`],
    ...properties.map((property) => `--property=${property}`),
    ...Object.entries(environment).map(([name, value]) => `--setenv=${name}=${value}`),
    ...[node, '--disable-warning=ExperimentalWarning', `${release}/scripts/job.ts`],
  ] as const
  return { argv: argv as unknown as Command['argv'], effect: 'change' }
}

/**
 * Prints the events from that line on, as they are written, until the unit has ended and what goes with it is gone (for which half a minute is waited); or until
 * its standard input ends, so that nothing stays behind when the connection is lost. Whoever watches holds a lock meanwhile. GNU's tail and uutils' look every second unless told whether a process lives.
 */
const WATCH_SCRIPT = `exec 3<&0 </dev/null 4<"$1/watchers"
flock -s 4
pid=$(systemctl show --property=MainPID --value "$2")
gone() {
  for try in $(seq 300); do
    [ "$(systemctl show --property=ActiveState --value "$1")" != inactive ] || break
    case "$(systemctl show --property=MainPID --value "$1")" in ''|0|"$2") sleep 0.1 ;; *) break ;; esac
  done
}
case "$pid" in ''|0) tail -n +"$3" -- "$1/events.jsonl"; gone "$2" 0; exit ;; esac
tail -n +"$3" -s 0.2 --pid="$pid" -f -- "$1/events.jsonl" 3<&- 4<&- & tail=$!
{ while read -r _; do :; done; kill "$tail"; } <&3 4<&- >/dev/null 2>&1 & watch=$!
exec 3<&-
code=0; wait "$tail" || code=$?
kill "$watch" 2>/dev/null
[ "$code" != 0 ] || gone "$2" "$pid"
exit "$code"`

/** Returns the command; `ended` is when nobody watches any more. A change, so that an interrupt does not end it: it shows how that is obeyed. */
export function watchCommand(line: number, ended: Promise<unknown>): Command {
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(0)
    await ended
  }
  const args = [HOST_PATH.runFolder, RUN_UNIT, `${line}`]
  return { argv: ['sh', '-c', WATCH_SCRIPT, 'sh', ...args], effect: 'change', isStreamed: true, stdin: { open } }
}

/** Asks the run to stop after its step. */
export function interruptCommand(): Command {
  return { argv: ['systemctl', 'kill', '--kill-whom=main', '--signal=SIGINT', RUN_UNIT], effect: 'change' }
}

/** Exits 0 while somebody watches the run. */
export function watchedCommand(): Command {
  return {
    argv: ['sh', '-c', 'if flock -n "$1" true; then exit 1; else exit 0; fi', 'sh', JOB_PATH.watchers],
    effect: 'read',
  }
}
