/** That an account may not become root by rules of sudo that are not ours: nothing to change, but a reason to refuse. */
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { groupFact } from '../facts/account.ts'
import { everyCommandRulesFact } from '../facts/sudo-rights.ts'

/** `groups` are groups with such a rule, which the account is taken out of. */
export type SudoRightsOptions = Readonly<{ name: string; groups: readonly string[] }>

/** The bound. A rule beside those of the groups is a `Failure` (exit 5): it is in a file of somebody else. */
export function sudoRights({ name, groups }: SudoRightsOptions): Resource {
  return {
    id: `sudo-rights:${name}`,
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const [rules, states] = await Promise.all([
        getFact(everyCommandRulesFact(name)),
        Promise.all(groups.map((group) => getFact(groupFact(group)))),
      ])
      const ofGroups = states.filter((state) => state?.members.includes(name)).length
      if (rules.length <= ofGroups) return []
      throw refusedFailure(
        `${name} may run every command as root`,
        `sudo has a rule for it besides ours: ${rules.at(-1)}; the deploy user may do what is in /etc/sudoers.d/tappass`,
        `find the rule: grep -rn ${name} /etc/sudoers /etc/sudoers.d   (on the host); remove it, or set another deployUser in host.yaml`,
      )
    },
  }
}
