/** Facts about accounts and groups (getent), and which account used sudo. */
import type { BatchQuery, Fact } from '../core/host.ts'

/** Undefined: no such account. */
export type AccountState = Readonly<{ uid: number; gid: number; home: string; shell: string }> | undefined

/** Undefined: no such group. `members` are the supplementary members, not the accounts whose primary group it is. */
export type GroupState = Readonly<{ gid: number; members: readonly string[] }> | undefined

function getentQuery(name: 'passwd' | 'group'): BatchQuery {
  return {
    query: (subjects) => ({ argv: ['getent', name, ...subjects], effect: 'read' }),
    split: (output) =>
      new Map(output.stdout.split('\n').map((row) => [row.split(':')[0] ?? '', { code: 0, stdout: row, stderr: '' }])),
  }
}

const passwdQuery = getentQuery('passwd')
const groupQuery = getentQuery('group')

/** The account with that name. */
export function accountFact(name: string): Fact<AccountState> {
  return {
    query: passwdQuery.query([name]),
    batchQuery: passwdQuery,
    subject: name,
    parse: ({ code, stdout }) => {
      const [, , uid, gid, , home = '', shell = ''] = stdout.split(':')
      return code === 0 && gid !== undefined ? { uid: Number(uid), gid: Number(gid), home, shell } : undefined
    },
  }
}

/** The group with that name. */
export function groupFact(name: string): Fact<GroupState> {
  return {
    query: groupQuery.query([name]),
    batchQuery: groupQuery,
    subject: name,
    parse: ({ code, stdout }) => {
      const [, , gid, members = ''] = stdout.split(':')
      if (code !== 0 || gid === undefined) return undefined
      return { gid: Number(gid), members: members.split(',').filter((member) => member !== '') }
    },
  }
}

/** Prints SUDO_USER of the process that runs it, or of the nearest of its parents that has one. */
export const SUDO_USER_SCRIPT = String.raw`p=$$
while [ "$p" -gt 1 ] 2>/dev/null; do
  u=$(tr '\0' '\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^SUDO_USER=//p')
  [ -z "$u" ] || { echo "$u"; exit 0; }
  p=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null)
done`

/** The account whose sudo gave this run root privileges: SUDO_USER of the process that runs the query, or of one of its parents when the toolkit itself was started with sudo. */
export const sudoUserFact: Fact<string | undefined> = {
  query: { argv: ['sh', '-c', SUDO_USER_SCRIPT], effect: 'read' },
  parse: ({ stdout }) => stdout.trim() || undefined,
  // Of who asks, not of the host: a run that goes on by itself has none.
  planned: () => undefined,
}
