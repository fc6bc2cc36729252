/** Traces on a host of whoever changed something: times of files and units, the package manager's log, and the sessions with root's rights by the journal. */
import type { Fact } from '../core/host.ts'
import type { Subject } from './subject.ts'

/** Seconds since 1970 by subject: of a path its newest change, of a unit its last change of state, of a package the last thing that was done with it. */
export type Times = Readonly<{
  paths: ReadonlyMap<string, number>
  units: ReadonlyMap<string, number>
  packages: ReadonlyMap<string, PackageTrace>
}>

/** `command` is what apt was told, for `account` where it says so; without it dpkg's own word for what it did. */
export type PackageTrace = Readonly<{ at: number; command: string; account?: string }>

/**
 * `$1` paths, `$2` units, `$3` packages, each in lines. Of a path that is gone the folder is looked at, of a folder what is newest in it: nobody but the kernel
 * sets a change time. dpkg and apt write local times.
 */
const TIMES_SCRIPT = String.raw`
printf '%s\n' "$1" | while read -r path; do
  [ -n "$path" ] || continue
  if [ -d "$path" ] && [ ! -h "$path" ]; then found=$(find "$path" -xdev -printf '%C@\n' 2>/dev/null | sort -n | tail -n 1)
  else at=$path; [ -e "$at" ] || [ -h "$at" ] || at=${'$'}{at%/*}; found=$(stat -c %.3Z -- "${'$'}{at:-/}" 2>/dev/null); fi
  echo "path $found $path"
done
printf '%s\n' "$2" | while read -r unit; do
  [ -z "$unit" ] || echo "unit $(systemctl show --timestamp=unix -p StateChangeTimestamp --value -- "$unit" 2>/dev/null | tr -d @) $unit"
done
printf '%s\n' "$3" | while read -r name; do
  [ -n "$name" ] || continue
  row=$(grep -hE " (install|upgrade|remove|purge) $name(:[a-z0-9]+)? " /var/log/dpkg.log 2>/dev/null | tail -n 1)
  [ -n "$row" ] || continue
  at=$(printf '%s' "$row" | cut -c 1-19)
  echo "package $(date -d "$at" +%s) $name"
  echo "dpkg $name $(printf '%s' "$row" | cut -d ' ' -f 3)"
  # Both write a time in the same form, so that they compare as text.
  awk -v at="$at" -v name="$name" '
    /^Start-Date: /{from=$2" "$3; line=""; by=""} /^Commandline: /{line=substr($0,14)} /^Requested-By: /{by=$2}
    /^End-Date: /{if (from<=at && at<=$2" "$3) {print "apt " name " " line; if (by) print "requested " name " " by}}' /var/log/apt/history.log 2>/dev/null
done
exit 0`

function rowsOf(text: string, key: string): readonly (readonly [string, string])[] {
  return text.split('\n').flatMap((line) => {
    const [word, first, ...rest] = line.split(' ')
    return word === key && first !== undefined ? [[first, rest.join(' ')] as const] : []
  })
}

function timesIn(text: string, key: string): ReadonlyMap<string, number> {
  return new Map(
    rowsOf(text, key).flatMap(([at, name]) => (Number(at) > 0 && name !== '' ? [[name, Number(at)] as const] : [])),
  )
}

function packagesIn(text: string): ReadonlyMap<string, PackageTrace> {
  const [dpkg, apt, requested] = ['dpkg', 'apt', 'requested'].map((key) => new Map(rowsOf(text, key)))
  return new Map(
    [...timesIn(text, 'package')].map(([name, at]) => {
      const account = requested?.get(name)
      const command = apt?.get(name) || `dpkg: ${dpkg?.get(name)} ${name}`
      return [name, { at, command, ...(account === undefined ? {} : { account }) }] as const
    }),
  )
}

/** The times of these subjects. */
export function timesFact(subjects: readonly Subject[]): Fact<Times> {
  const lines = (each: (subject: Subject) => readonly string[]) => [...new Set(subjects.flatMap(each))].join('\n')
  const args = [
    lines(({ paths }) => paths),
    lines(({ unit }) => (unit === undefined ? [] : [unit])),
    lines(({ packages }) => packages),
  ]
  return {
    query: { argv: ['sh', '-c', TIMES_SCRIPT, 'sh', ...args], effect: 'read', isLong: true },
    parse: ({ stdout }) => ({
      paths: timesIn(stdout, 'path'),
      units: timesIn(stdout, 'unit'),
      packages: packagesIn(stdout),
    }),
  }
}

/** Somebody with root's rights for a while. `by` is the program that gave them (`sudo`, `sshd`), `command` what sudo was to run. No end: it went on. */
export type RootSession = Readonly<{ account: string; by: string; from: number; until?: number; command?: string }>

/** A session is looked for so long before the change. */
const BEFORE_SECONDS = 2 * 86_400
const LINES_MAX = 4000

/** Of the journal what PAM, sudo and sshd say about sessions; the start of the machine ends those before. */
const SESSIONS_SCRIPT = `
sed -n 's/^btime /boot /p' /proc/stat
journalctl --quiet --no-pager --output=short-unix --no-hostname --since="@$1" --until="@$2" SYSLOG_FACILITY=10 SYSLOG_FACILITY=4 2>/dev/null |
  grep -E 'session (opened|closed) for user root|COMMAND=|Accepted [a-z-]+ for root ' | tail -n ${LINES_MAX}
exit 0`

const LINE = /^(\d+\.\d+) ([\w.-]+)\[(\d+)\]: (.*)$/

type Open = { account: string; by: string; from: number; command?: string }

function opened(message: string): string | undefined {
  const [, service, by = ''] =
    /^pam_unix\(([\w-]+):session\): session opened for user root(?:\(uid=0\))? by (\S*)/.exec(message) ?? []
  if (service === undefined || service === 'systemd-user') return undefined
  return by.replace(/\(uid=\d+\)$/, '') || 'root'
}

/** Returns the sessions from lines of the journal. Pure. */
export function parseSessions(text: string): readonly RootSession[] {
  const boot = Number(/^boot (\d+)$/m.exec(text)?.[1] ?? 0)
  const open = new Map<string, Open>()
  const hints = new Map<string, Readonly<{ account?: string; from?: string; command?: string }>>()
  const sessions: RootSession[] = []
  for (const line of text.split('\n')) {
    const [, at = '', ident = '', pid = '', message = ''] = LINE.exec(line) ?? []
    if (at === '') continue
    const key = `${ident} ${pid}`
    const command = /^\s*(\S+) : .*?\bUSER=root ; .*?COMMAND=(.*)$/.exec(message)
    const accepted = /^Accepted [a-z-]+ for root from (\S+) /.exec(message)
    if (command !== null) hints.set(key, { account: command[1] ?? '', command: command[2] ?? '' })
    if (accepted !== null) hints.set(key, { from: accepted[1] ?? '' })
    const account = opened(message)
    if (account !== undefined) {
      const hint = hints.get(key) ?? {}
      const name = ident.replace(/-session$/, '')
      const by = hint.from === undefined ? name : `${name} from ${hint.from}`
      open.set(key, {
        ...{ account: name === 'sshd' ? 'root' : (hint.account ?? account), by, from: Number(at) },
        ...(hint.command === undefined ? {} : { command: hint.command }),
      })
    } else if (/session closed for user root/.test(message)) {
      const standing = open.get(key)
      if (standing !== undefined) sessions.push({ ...standing, until: Number(at) })
      open.delete(key)
      hints.delete(key)
    }
  }
  // Nobody writes an end for what a start of the machine has ended.
  return [...sessions, ...[...open.values()].map((each) => (each.from < boot ? { ...each, until: boot } : each))]
}

/** The sessions that were there at one of these times (seconds since 1970). */
export function sessionsFact(times: readonly number[]): Fact<readonly RootSession[]> {
  const [from, until] = [Math.floor(Math.min(...times)) - BEFORE_SECONDS, Math.ceil(Math.max(...times)) + 60]
  return {
    query: { argv: ['sh', '-c', SESSIONS_SCRIPT, 'sh', `${from}`, `${until}`], effect: 'read', isLong: true },
    parse: ({ stdout }) => parseSessions(stdout),
  }
}
