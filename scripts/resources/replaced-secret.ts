/**
 * A new value in the place of a secret, of which earlier values are needed for what was made with them: the one that goes is first added to those that are kept. A run
 * that is killed between the two has it twice, which the next one finds as it is.
 */
import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { type SecretKind, storeCommand } from '../secrets/credential-store.ts'
import { isSameFact, storedAtFact } from '../secrets/secret-fact.ts'

/** Earlier values are in the credential `earlierId`. Another `provided` value replaces the current one; without one it is generated when the current one was stored before `storedBefore`. */
export type ReplacedSecretOptions = Readonly<{
  id: string
  earlierId: string
  generate: SecretKind
  provided: ProvidedSecret | undefined
  storedBefore: number
}>

/** The credential ID, rotated. One that is absent is the business of `secret.ts`. */
export function replacedSecret({ id, earlierId, generate, provided, storedBefore }: ReplacedSecretOptions): Resource {
  return {
    id: `replaced-secret:${id}`,
    absent: leavesNothing('all secrets go together'),
    plan: async (getFact): Promise<readonly Change[]> => {
      const [{ credentialStore: store }, storedAt, isSame] = await Promise.all([
        getFact(hostTraitsFact),
        getFact(storedAtFact(id)),
        provided !== undefined && getFact(isSameFact(id, provided.sha256)),
      ])
      if (storedAt === undefined || isSame || (provided === undefined && storedAt >= storedBefore)) return []
      const source = provided === undefined ? { generate } : { value: provided.readValue() }
      return [
        {
          action: `replace the secret ${id}, and keep the earlier value`,
          reason: provided === undefined ? 'its rotation was asked for' : 'another value was provided',
          commands: [storeCommand(store, earlierId, { beforeOthers: id }), storeCommand(store, id, source)],
        },
      ]
    },
  }
}
