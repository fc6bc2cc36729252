/** Secrets that were stored once and that the settings do not use any more: nobody would notice that they lie there, and something might read one. */
import { changeCommand } from '../core/command.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { credentialPaths } from '../secrets/credential.ts'

/** `name` tells several of them apart; `reason` says why the secrets `ids` are not used. */
export type SurplusSecretOptions = Readonly<{ name: string; ids: readonly string[]; reason: string }>

/** The absence of the credentials. */
export function surplusSecret({ name, ids, reason }: SurplusSecretOptions): Resource {
  return {
    id: `surplus-secret:${name}`,
    absent: leavesNothing('all secrets go together'),
    plan: async (getFact) => {
      const stored = ids.flatMap((id) => credentialPaths(id).map((path) => ({ id, path })))
      const states = await Promise.all(stored.map(({ path }) => getFact(pathFact(path))))
      const there = stored.filter((_, index) => states[index]?.kind === 'file')
      if (there.length === 0) return []
      const names = [...new Set(there.map(({ id }) => id))].join(', ')
      const paths = there.map(({ path }) => path)
      return [{ action: `remove the secret ${names}`, reason, commands: [changeCommand('rm', '-f', '--', ...paths)] }]
    },
  }
}
