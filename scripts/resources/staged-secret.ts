/**
 * The next value of a secret, stored beside the current one. The processes learn it, one after the other, before anything changes for those
 * who have the old value; `rotated-secret.ts` puts it in force. While there is a next value, nothing is staged again.
 */
import { nextCredentialId } from '../../contract/secret.ts'
import type { ProvidedSecret } from '../artifacts/artifact.ts'
import { type Change, leavesNothing, type Resource } from '../core/resource.ts'
import { hostTraitsFact } from '../facts/host-trait.ts'
import { type SecretKind, storeCommand } from '../secrets/credential-store.ts'
import { ONE_TIME_SECRETS_FOLDER } from '../secrets/one-time-secret.ts'
import { isSameFact, storedAtFact } from '../secrets/secret-fact.ts'

/**
 * A `provided` value is staged when it is neither the current nor the next one; without one a value is generated when the current one was
 * stored before `storedBefore` (the host's clock, in seconds). `isShownOnce` is as for `secret`. `isCompromised`: a next value from before then is
 * replaced as well.
 */
export type StagedSecretOptions = Readonly<{
  id: string
  generate: SecretKind
  isShownOnce: boolean
  provided: ProvidedSecret | undefined
  storedBefore: number | undefined
  isCompromised: boolean
}>

/** The credential ID-next. */
export function stagedSecret(options: StagedSecretOptions): Resource {
  const { id, generate, isShownOnce, provided, storedBefore, isCompromised } = options
  const nextId = nextCredentialId(id)
  return {
    id: `staged-secret:${id}`,
    absent: leavesNothing('all secrets go together'),
    plan: async (getFact): Promise<readonly Change[]> => {
      const [traits, storedAt, nextStoredAt, isCurrent, isNext] = await Promise.all([
        getFact(hostTraitsFact),
        getFact(storedAtFact(id)),
        getFact(storedAtFact(nextId)),
        provided !== undefined && getFact(isSameFact(id, provided.sha256)),
        provided !== undefined && getFact(isSameFact(nextId, provided.sha256)),
      ])
      if (storedAt === undefined || isCurrent || isNext) return []
      const action = `store the next value of ${id} beside the current one`
      if (provided !== undefined) {
        const commands = [storeCommand(traits.credentialStore, nextId, { value: provided.readValue() })] as const
        return [{ action, reason: 'another value was provided', commands }]
      }
      if (storedBefore === undefined || storedAt >= storedBefore) return []
      if (nextStoredAt !== undefined && !(isCompromised && nextStoredAt < storedBefore)) return []
      const marker = isShownOnce ? ONE_TIME_SECRETS_FOLDER : ''
      const commands = [storeCommand(traits.credentialStore, nextId, { generate }, marker)] as const
      return [{ action, reason: 'its rotation was asked for; instances learn it one after the other', commands }]
    },
  }
}
