/** A secret that a setting needs and that only the operator has: on the host already, or the run is refused. */
import { refusedFailure } from '../core/failure.ts'
import { leavesNothing, type Resource } from '../core/resource.ts'
import { pathFact } from '../facts/path.ts'
import { credentialPaths } from '../secrets/credential.ts'

/** `reason` names the setting. */
export type RequiredSecretOptions = Readonly<{ id: string; reason: string }>

/** The presence of the credential. Throws a `Failure` (exit 5) where it is absent. */
export function requiredSecret({ id, reason }: RequiredSecretOptions): Resource {
  return {
    id: `required-secret:${id}`,
    absent: leavesNothing('it makes nothing'),
    plan: async (getFact) => {
      const states = await Promise.all(credentialPaths(id).map((path) => getFact(pathFact(path))))
      if (states.some(({ kind }) => kind === 'file')) return []
      throw refusedFailure(`the secret ${id} is missing`, reason, `tappass bootstrap --secret ${id}=FILE`)
    },
  }
}
