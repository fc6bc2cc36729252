/** The secrets of a host: generated there by the first run, or provided by the operator; stored as systemd credentials. */

import { HOST_PATH } from '../../contract/path.ts'
import { type SecretKind, secret } from '../resources/secret.ts'
import { GENERATED_SECRET_IDS, type GeneratedSecretId, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import type { Role } from '../spec/role.ts'

/**
 * `isGuarded`: a new value would make data unreadable (vault key) or signatures unverifiable (token key). The database passwords are set from
 * the secrets at each start of the server, so new ones do no harm.
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

/** The role `secrets`: a resource for each secret; a provided value wins over a generated one. */
export const secrets: Role = (spec) => [
  ...GENERATED_SECRET_IDS.map((id) => {
    const { generate, isGuarded, isShownOnce } = SECRET_POLICIES[id]
    const guard = isGuarded ? [HOST_PATH.postgresCluster] : []
    return secret({ id, generate, guard, isShownOnce: isShownOnce ?? false, provided: spec.secrets[id] })
  }),
  ...OPTIONAL_SECRET_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    return provided === undefined ? [] : [secret({ id, provided })]
  }),
]
