/**
 * Puts the next value of a secret in force: it becomes the current one, and the old value goes. This comes after the instances, which know
 * both values by then. A password is changed in the database first: whoever knows both goes on with the one that the database takes.
 */
import { nextCredentialId } from '../../contract/secret.ts'
import { scriptCommand } from '../core/command.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { pathFact } from '../facts/path.ts'
import { credentialPaths } from '../secrets/credential.ts'
import { storeCommand, storedPath } from '../secrets/credential-store.ts'
import { recordPasswordCommand, setPasswordCommand } from '../secrets/database-password.ts'
import { ONE_TIME_SECRETS_FOLDER } from '../secrets/one-time-secret.ts'

/** `databaseRole` has the secret as its password. */
export type RotatedSecretOptions = Readonly<{ id: string; databaseRole?: string | undefined }>

/** A next value that was not shown yet is shown under the name that it has from now on. */
const END = `if [ -e "$4/$2" ]; then mv -f -- "$4/$2" "$4/$1"; fi; rm -f -- "$3"; sync -- "\${3%/*}/"`

/** The end of a rotation. */
export function rotatedSecret({ id, databaseRole }: RotatedSecretOptions): Resource {
  const nextId = nextCredentialId(id)
  return {
    id: `rotated-secret:${id}`,
    absent: leavesNothing('all secrets go together'),
    plan: async (getFact) => {
      const [{ credentialStore: store }, ...states] = await Promise.all([
        getFact(hostTraitsFact),
        ...credentialPaths(nextId).map((path) => getFact(pathFact(path))),
      ])
      const [encrypted, plain] = states
      if ((store === 'encrypted' ? encrypted : plain)?.kind !== 'file') return []
      const stored = storeCommand(store, id, { copyOf: nextId })
      const end = scriptCommand(END, [id, nextId, storedPath(store, nextId), ONE_TIME_SECRETS_FOLDER])
      return [
        {
          action: `make the next value of ${id} the only one`,
          reason: 'all instances know it',
          commands:
            databaseRole === undefined
              ? [stored, end]
              : [setPasswordCommand(store, databaseRole, nextId), stored, recordPasswordCommand(store, id), end],
        },
      ]
    },
  }
}
