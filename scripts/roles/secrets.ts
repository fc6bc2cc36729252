/** The secrets of a host: generated there by the first run, or provided by the operator; stored as systemd credentials. */

import { HOST_PATH } from '../../contract/path.ts'
import { nextCredentialId } from '../../contract/secret.ts'
import type { Resource } from '../core/resource.ts'
import { requiredSecret } from '../resources/required-secret.ts'
import { secret } from '../resources/secret.ts'
import { stagedSecret } from '../resources/staged-secret.ts'
import { storedSecrets } from '../resources/stored-secrets.ts'
import type { SecretKind } from '../secrets/credential-store.ts'
import { INGRESS_SECRET_IDS } from '../secrets/ingress-secret.ts'
import { GENERATED_SECRET_IDS, type GeneratedSecretId, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import { isOverlapping, ROTATION_KINDS } from '../secrets/secret-rotation.ts'
import type { HostSpec } from '../spec/host-spec.ts'
import { neededIngressSecrets } from '../spec/ingress-spec.ts'
import type { Role } from '../spec/role.ts'

/**
 * `isGuarded`: a new value would make data unreadable (vault key) or signatures unverifiable (token key). The database passwords are set from
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

/** A secret, and its next value while it is rotated. A guarded one has another value only where its rotation was asked for. */
function generated({ secrets: given, rotation }: HostSpec, id: GeneratedSecretId): readonly Resource[] {
  const { generate, isGuarded = false, isShownOnce = false } = SECRET_POLICIES[id]
  const provided = given[id]
  const storedBefore = rotation?.isFinishing === false && rotation.ids.includes(id) ? rotation.storedBefore : undefined
  const isStaged = isOverlapping(id) && (!isGuarded || storedBefore !== undefined)
  return [
    secret({
      ...{ id, generate, isShownOnce, provided, isStaged },
      guard: isGuarded ? [HOST_PATH.postgresCluster] : [],
      replacedBefore: ROTATION_KINDS[id] === 'own' ? storedBefore : undefined,
    }),
    ...(isStaged && (provided !== undefined || storedBefore !== undefined)
      ? [stagedSecret({ id, generate, isShownOnce, provided, storedBefore })]
      : []),
  ]
}

/** Every credential that a run may have stored, in this release or by a rotation. */
const ALL_IDS = [...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS].flatMap((id) => [id, nextCredentialId(id)])

/** The role `secrets`: a resource for each secret; a provided value wins over a generated one. */
export const secrets: Role = (spec) => [
  storedSecrets(ALL_IDS),
  ...GENERATED_SECRET_IDS.flatMap((id) => generated(spec, id)),
  ...OPTIONAL_SECRET_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    return provided === undefined ? [] : [secret({ id, provided })]
  }),
  ...INGRESS_SECRET_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    const needed = neededIngressSecrets(spec).find((each) => each.id === id)
    if (provided !== undefined) return [secret({ id, provided })]
    return needed === undefined ? [] : [requiredSecret(needed)]
  }),
]
