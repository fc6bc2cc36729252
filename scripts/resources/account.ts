/** A user account and its groups. */

import { changeCommand } from '../core/command.ts'
import { refusedFailure } from '../core/failure.ts'
import { commandLine, type Guard } from '../core/guard.ts'
import type { GetFact } from '../core/host.ts'
import type { Change, Removal, Resource } from '../core/resource.ts'
import { type AccountState, accountFact, type GroupState, groupFact, sudoUserFact } from '../facts/account.ts'
import { isNamedOurs, madeRecordFact, recordMadeCommand } from '../facts/made-record.ts'
import { REMOVAL_REASON } from '../files/removal.ts'

/** Why an account must not be in a group; `isSudo`: the group may run every command through sudo. */
export type ForbiddenGroup = Readonly<{ reason: string; isSudo?: boolean }>

/**
 * The account must be in `groups` and must not be in `groupsForbidden` (by name); its own group has its name. `home` and `shell` of an
 * existing account are changed only when they are given.
 */
export type AccountOptions = Readonly<{
  name: string
  isSystem: boolean
  home?: string
  shell?: string
  groups?: readonly string[]
  groupsForbidden?: Readonly<Record<string, ForbiddenGroup>>
}>

function creation({ name, isSystem, home, shell, groups = [] }: AccountOptions, own: GroupState): Change {
  const add = changeCommand(
    'useradd',
    ...(isSystem ? ['--system', '--no-create-home'] : ['--create-home']),
    ...(own === undefined ? ['--user-group'] : ['--gid', name]),
    '--home-dir',
    home ?? (isSystem ? '/nonexistent' : `/home/${name}`),
    '--shell',
    shell ?? (isSystem ? '/usr/sbin/nologin' : '/bin/bash'),
    ...(groups.length === 0 ? [] : ['--groups', groups.join(',')]),
    name,
  )
  return {
    action: `add account ${name}`,
    reason: 'it is absent',
    commands: isNamedOurs(name) ? [add] : [recordMadeCommand('account', name), add],
  }
}

/** Root's own commands bring it back: files of all accounts, which others may have changed meanwhile, are not put back. */
function back(...argv: readonly [string, ...string[]]): Guard {
  return { paths: [], units: [], reload: commandLine(changeCommand(...argv)) }
}

function repairs({ name, home, shell }: AccountOptions, state: NonNullable<AccountState>): readonly Change[] {
  return [
    ...(home === undefined || home === state.home
      ? []
      : [
          {
            action: `set the home of ${name} to ${home}`,
            reason: `it is ${state.home}`,
            commands: [changeCommand('usermod', '--home', home, name)] as const,
            guard: back('usermod', '--home', state.home, name),
          },
        ]),
    ...(shell === undefined || shell === state.shell
      ? []
      : [
          {
            action: `set the shell of ${name} to ${shell}`,
            reason: `it is ${state.shell}`,
            commands: [changeCommand('usermod', '--shell', shell, name)] as const,
            guard: back('usermod', '--shell', state.shell, name),
          },
        ]),
  ]
}

function isListed(name: string, group: GroupState): boolean {
  return group?.members.includes(name) === true
}
function isPrimary(state: NonNullable<AccountState>, group: GroupState): boolean {
  return group?.gid === state.gid
}

/** An account can be in a group as a member or have it as primary group; its own group then becomes the primary one. */
function leaveGroup(
  name: string,
  group: string,
  state: NonNullable<AccountState>,
  own: GroupState,
  forbidden: GroupState,
) {
  const member = isListed(name, forbidden) ? [changeCommand('gpasswd', '--delete', name, group)] : []
  if (!isPrimary(state, forbidden)) return member
  const setPrimary = changeCommand('usermod', '--gid', name, name)
  return [...(own === undefined ? [changeCommand('groupadd', name), setPrimary] : [setPrimary]), ...member]
}

/** Throws a `Failure` (exit 5) when this run itself has root privileges through the group: the operator would be locked out. */
async function assertNoLockout(
  getFact: GetFact,
  name: string,
  group: string,
  { reason, isSudo = false }: ForbiddenGroup,
) {
  if (!isSudo || (await getFact(sudoUserFact)) !== name) return
  throw refusedFailure(
    `${name} must be removed from the group ${group}`,
    `${reason}; but this run has root privileges through that group`,
    'connect as root or as another account that may use sudo, or set another deployUser in host.yaml',
  )
}

async function removals(
  getFact: GetFact,
  { name, groupsForbidden = {} }: AccountOptions,
  state: NonNullable<AccountState>,
  own: GroupState,
  forbidden: readonly GroupState[],
): Promise<readonly Change[]> {
  const changes: Change[] = []
  for (const [index, [group, forbiddenGroup]] of Object.entries(groupsForbidden).entries()) {
    const [first, ...rest] = leaveGroup(name, group, state, own, forbidden[index])
    if (first === undefined) continue
    await assertNoLockout(getFact, name, group, forbiddenGroup)
    const { reason } = forbiddenGroup
    const member = isListed(name, forbidden[index]) ? ['--append', '--groups', group] : []
    const primary = isPrimary(state, forbidden[index]) ? ['--gid', group] : []
    const guard = back('usermod', ...primary, ...member, name)
    changes.push({ action: `remove ${name} from the group ${group}`, reason, commands: [first, ...rest], guard })
  }
  return changes
}

/** One of ours by name, or that was not there before us. The owner of data stays while they do: its number may not become that of another account. */
async function planAccountAbsent(
  getFact: GetFact,
  { name, isSystem }: AccountOptions,
  { isWithData }: Removal,
): Promise<readonly Change[]> {
  const [state, made] = await Promise.all([getFact(accountFact(name)), getFact(madeRecordFact)])
  const isOurs = (isSystem && isNamedOurs(name)) || made.has('account', name)
  if (state === undefined || !isOurs || (isSystem && !isWithData)) return []
  const remove = isSystem ? changeCommand('userdel', name) : changeCommand('userdel', '--remove', name)
  return [{ action: `remove account ${name}`, reason: REMOVAL_REASON, commands: [remove] }]
}

/** The account: created when absent; home, shell and groups are corrected, guarded. Only `absent` deletes it. */
export function account(options: AccountOptions): Resource {
  return {
    id: `account:${options.name}`,
    absent: (getFact, removal) => planAccountAbsent(getFact, options, removal),
    plan: async (getFact) => {
      const { name, groups = [], groupsForbidden = {} } = options
      const [state, own, desired, forbidden] = await Promise.all([
        getFact(accountFact(name)),
        getFact(groupFact(name)),
        Promise.all(groups.map((group) => getFact(groupFact(group)))),
        Promise.all(Object.keys(groupsForbidden).map((group) => getFact(groupFact(group)))),
      ])
      if (state === undefined) return [creation(options, own)]
      const missing = groups.filter((_, index) => !isListed(name, desired[index]) && !isPrimary(state, desired[index]))
      return [
        ...repairs(options, state),
        ...missing.map((group) => ({
          action: `add ${name} to the group ${group}`,
          reason: 'it is not a member',
          commands: [changeCommand('usermod', '--append', '--groups', group, name)] as const,
        })),
        ...(await removals(getFact, options, state, own, forbidden)),
      ]
    },
  }
}
