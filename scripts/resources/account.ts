/** A user account and its groups. */
import { change } from '../core/command.ts'
import { refusal } from '../core/failure.ts'
import type { Know } from '../core/host.ts'
import type { Change, Resource } from '../core/resource.ts'
import { type AccountState, accountFact, type GroupState, groupFact, sudoUserFact } from '../facts/account.ts'

/** Why an account must not be in a group; `isSudo` where the group may run every command through sudo. */
export type Prohibition = Readonly<{ because: string; isSudo?: boolean }>

/**
 * `groups` it must be in, `groupsForbidden` (by name) it must not; its own group has its name. `home` and `shell` of an account
 * that exists are mended only where they are given.
 */
export type AccountOptions = Readonly<{
  name: string
  isSystem: boolean
  home?: string
  shell?: string
  groups?: readonly string[]
  groupsForbidden?: Readonly<Record<string, Prohibition>>
}>

function creation({ name, isSystem, home, shell, groups = [] }: AccountOptions, own: GroupState): Change {
  return {
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
  }
}

function mending({ name, home, shell }: AccountOptions, state: NonNullable<AccountState>): readonly Change[] {
  return [
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
}

function isListed(name: string, group: GroupState): boolean {
  return group?.members.includes(name) === true
}
function isPrimary(state: NonNullable<AccountState>, group: GroupState): boolean {
  return group?.gid === state.gid
}

/** It may be in a group as a member, and by having it as the one it logs in with: then its own takes that place. */
function leaving(name: string, group: string, state: NonNullable<AccountState>, own: GroupState, left: GroupState) {
  const member = isListed(name, left) ? [change('gpasswd', '--delete', name, group)] : []
  if (!isPrimary(state, left)) return member
  const take = change('usermod', '--gid', name, name)
  return [...(own === undefined ? [change('groupadd', name), take] : [take]), ...member]
}

/** Throws a refusal (exit 5) where this run itself has root's rights through the group: nobody might get in again. */
async function refuseLockout(know: Know, name: string, group: string, { because, isSudo = false }: Prohibition) {
  if (!isSudo || (await know(sudoUserFact)) !== name) return
  throw refusal(
    `${name} must leave the group ${group}`,
    `${because}; but this run has root's rights through it`,
    'connect as root or as another account that may use sudo, or name another deployUser',
  )
}

async function dismissals(
  know: Know,
  { name, groupsForbidden = {} }: AccountOptions,
  state: NonNullable<AccountState>,
  own: GroupState,
  forbidden: readonly GroupState[],
): Promise<readonly Change[]> {
  const changes: Change[] = []
  for (const [index, [group, prohibition]] of Object.entries(groupsForbidden).entries()) {
    const [first, ...rest] = leaving(name, group, state, own, forbidden[index])
    if (first === undefined) continue
    await refuseLockout(know, name, group, prohibition)
    const { because } = prohibition
    changes.push({ does: `take ${name} out of the group ${group}`, because, commands: [first, ...rest] })
  }
  return changes
}

/** The account, made when it is absent; its home, shell and groups mended. Never deleted. */
export function account(options: AccountOptions): Resource {
  return {
    id: `account:${options.name}`,
    plan: async (know) => {
      const { name, groups = [], groupsForbidden = {} } = options
      const [state, own, wanted, forbidden] = await Promise.all([
        know(accountFact(name)),
        know(groupFact(name)),
        Promise.all(groups.map((group) => know(groupFact(group)))),
        Promise.all(Object.keys(groupsForbidden).map((group) => know(groupFact(group)))),
      ])
      if (state === undefined) return [creation(options, own)]
      const missing = groups.filter((_, index) => !isListed(name, wanted[index]) && !isPrimary(state, wanted[index]))
      return [
        ...mending(options, state),
        ...missing.map((group) => ({
          does: `add ${name} to the group ${group}`,
          because: 'it is not in it',
          commands: [change('usermod', '--append', '--groups', group, name)] as const,
        })),
        ...(await dismissals(know, options, state, own, forbidden)),
      ]
    },
  }
}
