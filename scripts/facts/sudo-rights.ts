/** What sudo lets an account do, by its own word. */
import type { Fact } from '../core/host.ts'

/**
 * sudo takes a fiftieth of a second, so it is asked only where somebody has written rules: a file beside ours, a line that no distribution
 * has, or a directory of the network.
 */
const SCRIPT = `ask=
for file in /etc/sudoers.d/*; do
  case \${file##*/} in tappass | README | '*' | *.* | *~) ;; *) ask=1 ;; esac
done
[ ! -r /etc/sudoers ] || while read -r first _; do
  case $first in '' | '#' | '#'[!0-9]* | Defaults* | @include* | root | %sudo | %admin) ;; *) ask=1 ;; esac
done </etc/sudoers
[ ! -r /etc/nsswitch.conf ] || while read -r first rest; do
  case "$first $rest" in sudoers:*sss* | sudoers:*ldap*) ask=1 ;; esac
done </etc/nsswitch.conf
[ -z "$ask" ] || timeout 10 sudo -n -l -U "$1" 2>/dev/null`

/**
 * A rule such as `(ALL : ALL) NOPASSWD: ALL`. Exceptions from all commands (`ALL, !/bin/su`) are no bound. Between commas there is one way to read
 * a text only: an account has dozens of commands.
 */
const EVERY_COMMAND = /^\s+\((?:ALL|root)\b[^)]*\)\s+(?:[^,]+,)*\s*(?:[A-Z_]+:\s*)*ALL(?:,.*)?$/

/** The rules that let the account run every command as root. */
export function everyCommandRulesFact(name: string): Fact<readonly string[]> {
  return {
    query: { argv: ['sh', '-c', SCRIPT, 'sh', name], effect: 'read' },
    parse: ({ stdout }) =>
      stdout
        .split('\n')
        .filter((line) => EVERY_COMMAND.test(line))
        .map((line) => line.trim()),
  }
}
