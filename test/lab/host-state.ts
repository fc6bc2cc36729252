/** All of a machine that an uninstall has to leave as it was, as values to compare. */
import { compareFileTrees, type FileTree, readFileTree } from './file-tree.ts'
import type { Machine } from './machine.ts'
import { run } from './machine.ts'

/** Files, and the answers to `questions`, by what was asked. */
export type HostState = Readonly<{ files: FileTree; answers: ReadonlyMap<string, string> }>

const folders = ['/etc', '/opt', '/usr', '/var/lib', '/var/cache', '/home', '/root', '/srv', '/run']

/**
 * What uninstall's own list names (logs, apt's lists and caches, copies of /etc/passwd, systemd's key), and what a machine changes by
 * itself: in /run what programs that were there keep for themselves, random seeds, clocks.
 */
const except = new RegExp(
  [
    '^/var/lib/(apt|dpkg|systemd/(random-seed|timesync|credential\\.secret|catalog|pstore|rfkill|timers/stamp-(apt|dpkg|e2scrub|fstrim|man|systemd)))',
    '^/var/lib/(systemd/deb-systemd-[a-z-]+|private)(/|$)',
    '^/var/cache/(apt|debconf|ldconfig|man|apparmor)',
    '^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-$',
    '^/etc/(ld\\.so\\.cache|mtab|resolv\\.conf|\\.pwd\\.lock|\\.updated)$',
    '^/run/(adduser|systemd|udev|user|dbus|lock|log|utmp|sshd|initctl|credentials|mount|shm|sudo|host|motd|tmpfiles\\.d|nscd|initramfs|xtables\\.lock)',
  ].join('|'),
)

const questions = {
  packages: "dpkg-query -W -f '${binary:Package} ${Version} ${db:Status-Abbrev}\\n'",
  'packages by hand': 'apt-mark showmanual',
  accounts: 'getent passwd; getent group',
  units:
    'systemctl list-unit-files --no-legend --no-pager | sort; systemctl list-units --all --plain --no-legend --no-pager | grep -E "tappass|docker|containerd" | sort; true',
  rules: 'nft list ruleset',
  links: "ip -o link | sed 's/^[0-9]*: //; s/@.*//; s/:.*//' | sort",
  sysctls:
    "sysctl -a 2>/dev/null | grep -E '^(net\\.ipv[46]\\.(ip_forward|conf\\.(all|default)\\.)|vm\\.|kernel\\.panic)' | sort",
  sudo: 'sudo -l -U nobody 2>/dev/null; ls /etc/sudoers.d',
} as const

/** Reads them. */
export async function readHostState(machine: Pick<Machine, 'name'>): Promise<HostState> {
  const answers = new Map<string, string>()
  for (const [name, question] of Object.entries(questions))
    answers.set(name, (await run(machine, question)).stdout.trim())
  return { files: await readFileTree(machine, folders, except), answers }
}

/** Gives a line for each thing that differs. */
export function compareHostStates(before: HostState, after: HostState): readonly string[] {
  const rowsOf = ({ answers }: HostState, name: string) => (answers.get(name) ?? '').split('\n')
  const answers = [...before.answers.keys()].flatMap((name) => {
    const [was, is] = [rowsOf(before, name), rowsOf(after, name)]
    return [
      ...was.filter((row) => !is.includes(row)).map((row) => `${name}: - ${row}`),
      ...is.filter((row) => !was.includes(row)).map((row) => `${name}: + ${row}`),
    ]
  })
  return [...answers, ...compareFileTrees(before.files, after.files)]
}
