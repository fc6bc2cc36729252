/** Where units are, and their commands: one after which unit files are read anew, one that starts a unit which tells its own state (Type=notify). */
import { changeCommand, wordsOf } from './command.ts'
import type { Command } from './host.ts'

/** Where systemd finds a unit of that name. */
export function unitPath(name: string): string {
  return `/etc/systemd/system/${name}`
}

/** After it systemd knows what the unit files say now. */
export const RELOAD_COMMAND = changeCommand('systemctl', 'daemon-reload')

/** Looks of 0.2 s within which an instance has to serve, and how many in a row have to find it serving. */
const LOOKS_MAX = 150
const SERVING_LOOKS = 4

/**
 * The job is not waited for by systemctl: a start that waits for a part that is away never ends. A drain takes the time that its
 * unit gives it. What died is not waited for: systemd starts it again, but what would be different then is luck.
 */
const SCRIPT = `systemctl "$1" --no-block -- "$2"
left=$4 serving=0 state=
while [ "$left" -gt 0 ]; do
  sleep 0.2
  state=$(systemctl show --property=ActiveState,Job,StatusText,Result -- "$2")
  case $state in *ActiveState=deactivating*) continue ;; esac
  left=$((left - 1))
  case $state in *Job=[1-9]*) continue ;; esac
  case $state in
    *ActiveState=active*StatusText="$3"*|*StatusText="$3"*ActiveState=active*) serving=$((serving + 1)) ;;
    *ActiveState=active*) serving=0 ;;
    *) break ;;
  esac
  [ "$serving" -lt "$5" ] || exit 0
done
echo "$2 is not well:" $(systemctl show --property=ActiveState,SubState,StatusText,Result -- "$2") >&2
exit 1`

/**
 * Starts or restarts a unit and fails unless its status begins with `serving`, and goes on doing so for a moment. `$0` of the script
 * is systemctl, whose arguments follow: a failure is reported like that of systemctl.
 */
export function serveCommand(verb: 'start' | 'restart', unit: string, serving: string): Command {
  const numbers = [LOOKS_MAX, SERVING_LOOKS].map(String)
  return { argv: ['sh', '-euc', SCRIPT, 'systemctl', verb, unit, serving, ...numbers], effect: 'change' }
}

/** The systemctl verb and unit of a command, also of a script that is named for it; undefined: another command. */
export function systemctlOf(command: Command): Readonly<{ verb: string; unit: string | undefined }> | undefined {
  const [program, verb = '', unit] = wordsOf(command)
  return program === 'systemctl' ? { verb, unit } : undefined
}
