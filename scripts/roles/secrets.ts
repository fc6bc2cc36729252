/** The secrets of a host: generated there by the first run, or provided by the operator; stored as systemd credentials. */

import { STORE_CREDENTIAL_IDS } from '../../contract/backup-store.ts'
import { HOST_PATH } from '../../contract/path.ts'
import { EARLIER_VAULT_KEYS_ID, nextCredentialId } from '../../contract/secret.ts'
import { STORAGE_CREDENTIAL_IDS } from '../../contract/storage.ts'
import type { Resource } from '../core/resource.ts'
import { replacedSecret } from '../resources/replaced-secret.ts'
import { requiredSecret } from '../resources/required-secret.ts'
import { secret } from '../resources/secret.ts'
import { stagedSecret } from '../resources/staged-secret.ts'
import { storedSecrets } from '../resources/stored-secrets.ts'
import { surplusSecret } from '../resources/surplus-secret.ts'
import type { SecretKind } from '../secrets/credential-store.ts'
import { INGRESS_SECRET_IDS } from '../secrets/ingress-secret.ts'
import { GENERATED_SECRET_IDS, type GeneratedSecretId, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import { isOverlapping, ROTATION_KINDS, rotatedBefore } from '../secrets/secret-rotation.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { neededIngressSecrets } from '../spec/ingress-spec.ts'
import type { Role } from '../spec/role.ts'
import { neededStoreSecrets } from '../storage/backup-store-spec.ts'
import { ADDRESS_ID, isExternal, partOf, type StoragePart, storageSecretIds } from '../storage/storage-spec.ts'

/**
 * `isGuarded`: without the value that there is, data could not be proven (vault key) or signatures not be verified (token key). The database passwords are set from
 * the secrets while the server runs, so new ones do no harm.
 */
const SECRET_POLICIES: Readonly<
  Record<GeneratedSecretId, Readonly<{ generate: SecretKind; isGuarded?: true; isShownOnce?: true }>>
> = {
  'tappass-admin-api-key': { generate: 'api-key', isShownOnce: true },
  'tappass-jwt-secret': { generate: 'token' },
  'tappass-vault-key': { generate: 'bytes32-base64', isGuarded: true },
  'tappass-token-key': { generate: 'p256-pem', isGuarded: true },
  // What an older key has signed can be checked with its public half for ever.
  'tappass-checkpoint-key': { generate: 'ed25519-pem' },
  'postgres-password': { generate: 'password' },
  'postgres-owner-password': { generate: 'password' },
}

/** What shows that there are data which were written with a guarded secret. Of a database elsewhere the host has the checkpoints of its ledger. */
function dependentPaths(spec: HostSpec): readonly string[] {
  return isExternal(spec, 'database')
    ? [HOST_PATH.postgresCluster, HOST_PATH.checkpointFolder]
    : [HOST_PATH.postgresCluster]
}

/** The passwords of roles are of our own server; those of another one are in its address. */
function generatedIds(spec: HostSpec): readonly GeneratedSecretId[] {
  return GENERATED_SECRET_IDS.filter((id) => ROTATION_KINDS[id] !== 'password' || !isExternal(spec, 'database'))
}

/** What belongs to one address comes together: with another address the rest of the one before goes. */
function storageOf(spec: HostSpec, part: StoragePart): readonly Resource[] {
  const { secrets: given } = spec
  const addressId = ADDRESS_ID[part]
  if (given[addressId] === undefined)
    return [requiredSecret({ id: addressId, reason: `storage.${part} is external: its address is a secret` })]
  const ids = storageSecretIds(spec).filter((id) => partOf(id) === part)
  const left = ids.filter((id) => given[id] === undefined)
  return [
    ...ids.flatMap((id) => {
      const provided = given[id]
      return provided === undefined ? [] : [secret({ id, provided })]
    }),
    ...(left.length === 0
      ? []
      : [surplusSecret({ name: part, ids: left, reason: `${addressId} was given without it` })]),
  ]
}

/** A secret, and its next value while it is rotated. A guarded one has another value only where its rotation was asked for. */
function generated(spec: HostSpec, id: GeneratedSecretId): readonly Resource[] {
  const { secrets: given, rotation } = spec
  const { generate, isGuarded = false, isShownOnce = false } = SECRET_POLICIES[id]
  const provided = given[id]
  const storedBefore = rotatedBefore(rotation, id)
  const isCompromised = rotation?.mode === 'compromised'
  const isStaged = isOverlapping(id) && (!isGuarded || storedBefore !== undefined)
  const isReplaced = ROTATION_KINDS[id] === 'kept' && storedBefore !== undefined
  return [
    secret({
      ...{ id, generate, isShownOnce, provided, isStaged: isStaged || isReplaced },
      guard: isGuarded ? dependentPaths(spec) : [],
      replacedBefore: ROTATION_KINDS[id] === 'own' ? storedBefore : undefined,
    }),
    ...(isStaged && (provided !== undefined || storedBefore !== undefined)
      ? [stagedSecret({ id, generate, isShownOnce, provided, storedBefore, isCompromised })]
      : []),
    ...(isReplaced ? [replacedSecret({ id, earlierId: EARLIER_VAULT_KEYS_ID, generate, provided, storedBefore })] : []),
  ]
}

/** Every credential that a run may have stored, in this release or by a rotation. */
const ALL_IDS = [
  ...[...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS].flatMap((id) => [id, nextCredentialId(id)]),
  EARLIER_VAULT_KEYS_ID,
  ...STORAGE_CREDENTIAL_IDS,
  ...STORE_CREDENTIAL_IDS,
]

/** The role `secrets`: a resource for each secret; a provided value wins over a generated one. */
export const secrets: Role = (spec) => [
  storedSecrets(ALL_IDS),
  ...generatedIds(spec).flatMap((id) => generated(spec, id)),
  ...(['database', 'redis'] as const).flatMap((part) => (isExternal(spec, part) ? storageOf(spec, part) : [])),
  ...OPTIONAL_SECRET_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    return provided === undefined ? [] : [secret({ id, provided })]
  }),
  // Those that the ingress needs are parts of it.
  ...INGRESS_SECRET_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    const isNeeded = neededIngressSecrets(spec).some((each) => each.id === id)
    return provided === undefined || isNeeded ? [] : [secret({ id, provided })]
  }),
  ...STORE_CREDENTIAL_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    if (provided !== undefined) return [secret({ id, provided })]
    const needed = neededStoreSecrets(spec).find((each) => each.id === id)
    return needed === undefined ? [] : [requiredSecret(needed)]
  }),
]
