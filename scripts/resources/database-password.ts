/** The password of a role of the database: that which the secret holds, also when the secret was stored again while the server runs. */
import { leavesNothing, type Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { contentFact, digestFact } from '../facts/path.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { passwordRecordPath, recordPasswordCommand, setPasswordCommand } from '../secrets/database-password.ts'

/** The role, and the id of the secret that holds its password. */
export type DatabasePasswordOptions = Readonly<{ role: string; id: string }>

/** The password; the server has to run. */
export function databasePassword({ role, id }: DatabasePasswordOptions): Resource {
  return {
    id: `database-password:${role}`,
    absent: leavesNothing('it is in the database'),
    plan: async (getFact) => {
      const [{ credentialStore: store }, record, encrypted, plain] = await Promise.all([
        getFact(hostTraitsFact),
        getFact(contentFact(passwordRecordPath(id))),
        ...credentialPaths(id).map((path) => getFact(digestFact(path))),
      ])
      const digest = store === 'encrypted' ? encrypted : plain
      if (digest === undefined || record?.trim() === digest) return []
      const commands = [setPasswordCommand(store, role, id), recordPasswordCommand(store, id)] as const
      return [{ action: `set the password of the database role ${role}`, reason: `${id} was stored again`, commands }]
    },
  }
}
