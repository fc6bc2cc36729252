/** A user account and its groups. */
import { change } from '../core/command.ts'
import { type AccountState, accountFact, type GroupState, groupFact } from '../core/facts/account.ts'
import type { Change, Resource } from '../core/resource.ts'

/**
 * `groups` it must be in, `groupsForbidden` it must not; its own group has its name. `home` and `shell` of an account
 * that exists are mended only where they are given.
 */
export type AccountOptions = Readonly<{
  name: string
  isSystem: boolean
  home?: string
  shell?: string
  groups?: readonly string[]
  groupsForbidden?: readonly string[]
}>

const creation = ({ name, isSystem, home, shell, groups = [] }: AccountOptions, own: GroupState): Change => ({
  does: `add account ${name}`,
  because: 'it is absent',
  commands: [
    change(
      'useradd',
      ...(isSystem ? ['--system', '--no-create-home'] : ['--create-home']),
      ...(own === undefined ? ['--user-group'] : ['--gid', name]),
      '--home-dir',
      home ?? (isSystem ? '/nonexistent' : `/home/${name}`),
      '--shell',
      shell ?? (isSystem ? '/usr/sbin/nologin' : '/bin/bash'),
      ...(groups.length === 0 ? [] : ['--groups', groups.join(',')]),
      name,
    ),
  ],
})

const mending = ({ name, home, shell }: AccountOptions, state: NonNullable<AccountState>): readonly Change[] => [
  ...(home === undefined || home === state.home
    ? []
    : [
        {
          does: `set the home of ${name} to ${home}`,
          because: `it is ${state.home}`,
          commands: [change('usermod', '--home', home, name)] as const,
        },
      ]),
  ...(shell === undefined || shell === state.shell
    ? []
    : [
        {
          does: `set the shell of ${name} to ${shell}`,
          because: `it is ${state.shell}`,
          commands: [change('usermod', '--shell', shell, name)] as const,
        },
      ]),
]

/** The account, made when it is absent; its home, shell and groups mended. Never deleted. */
export const account = (options: AccountOptions): Resource => ({
  id: `account:${options.name}`,
  plan: async (know) => {
    const { name, groups = [], groupsForbidden = [] } = options
    const [state, own, wanted, forbidden] = await Promise.all([
      know(accountFact(name)),
      know(groupFact(name)),
      Promise.all(groups.map((group) => know(groupFact(group)))),
      Promise.all(groupsForbidden.map((group) => know(groupFact(group)))),
    ])
    if (state === undefined) return [creation(options, own)]
    const isIn = (group: GroupState) => group !== undefined && (group.members.includes(name) || group.gid === state.gid)
    const missing = groups.filter((_, index) => !isIn(wanted[index]))
    const excess = groupsForbidden.filter((_, index) => isIn(forbidden[index]))
    return [
      ...mending(options, state),
      ...missing.map((group) => ({
        does: `add ${name} to the group ${group}`,
        because: 'it is not in it',
        commands: [change('usermod', '--append', '--groups', group, name)] as const,
      })),
      ...excess.map((group) => ({
        does: `take ${name} out of the group ${group}`,
        because: 'it must not be in it',
        commands: [change('gpasswd', '--delete', name, group)] as const,
      })),
    ]
  },
})
