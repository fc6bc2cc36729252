/** Accounts and groups as the host's name service knows them, and who came in by sudo. */
import type { Fact, Joint } from '../core/host.ts'

/** Undefined where there is no such account. */
export type AccountState = Readonly<{ uid: number; gid: number; home: string; shell: string }> | undefined

/** Undefined where there is no such group; `members` are those listed in it, not those whose own group it is. */
export type GroupState = Readonly<{ gid: number; members: readonly string[] }> | undefined

function database(name: 'passwd' | 'group'): Joint {
  return {
    ask: (subjects) => ({ argv: ['getent', name, ...subjects], effect: 'read' }),
    split: (answer) =>
      new Map(answer.stdout.split('\n').map((row) => [row.split(':')[0] ?? '', { code: 0, stdout: row, stderr: '' }])),
  }
}

const passwd = database('passwd')
const groups = database('group')

/** The account of that name. */
export function accountFact(name: string): Fact<AccountState> {
  return {
    ask: passwd.ask([name]),
    joint: passwd,
    subject: name,
    parse: ({ code, stdout }) => {
      const [, , uid, gid, , home = '', shell = ''] = stdout.split(':')
      return code === 0 && gid !== undefined ? { uid: Number(uid), gid: Number(gid), home, shell } : undefined
    },
  }
}

/** The group of that name. */
export function groupFact(name: string): Fact<GroupState> {
  return {
    ask: groups.ask([name]),
    joint: groups,
    subject: name,
    parse: ({ code, stdout }) => {
      const [, , gid, members = ''] = stdout.split(':')
      if (code !== 0 || gid === undefined) return undefined
      return { gid: Number(gid), members: members.split(',').filter((member) => member !== '') }
    },
  }
}

const walk = String.raw`p=$$
while [ "$p" -gt 1 ] 2>/dev/null; do
  u=$(tr '\0' '\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^SUDO_USER=//p')
  [ -z "$u" ] || { echo "$u"; exit 0; }
  p=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null)
done`

/** Whose sudo gave this run root's rights: told by the process that answers or, for a toolkit that was itself begun with sudo, one above it. */
export const sudoUserFact: Fact<string | undefined> = {
  ask: { argv: ['sh', '-c', walk], effect: 'read' },
  parse: ({ stdout }) => stdout.trim() || undefined,
}
