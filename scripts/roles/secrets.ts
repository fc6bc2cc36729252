/** The secrets of a host: made there at first run, or handed in by the operator; kept as systemd credentials. */

import { type SecretKind, secret } from '../resources/secret.ts'
import { MADE_SECRET_IDS, type MadeSecretId, OPTIONAL_SECRET_IDS } from '../secrets/secret-id.ts'
import type { Role } from '../spec/role.ts'

/** While this exists there are data that need the keys they were written under. */
const CLUSTER = '/var/lib/tappass/postgres/cluster'

/**
 * `needsGuard`: a new one would make data unreadable (the vault's) or signatures unverifiable (the token key's). The database's own
 * password is set from the secret at each start of the server, so a new one harms nothing.
 */
const ROWS: Readonly<Record<MadeSecretId, Readonly<{ make: SecretKind; needsGuard?: true; isShownOnce?: true }>>> = {
  'tappass-admin-api-key': { make: 'api-key', isShownOnce: true },
  'tappass-jwt-secret': { make: 'token' },
  'tappass-vault-key': { make: 'bytes32-base64', needsGuard: true },
  'tappass-token-key': { make: 'p256-pem', needsGuard: true },
  'postgres-password': { make: 'password' },
}

/** One resource a secret; the operator's win over made ones. */
export const secrets: Role = (spec) => [
  ...MADE_SECRET_IDS.map((id) => {
    const { make, needsGuard, isShownOnce } = ROWS[id]
    const guard = needsGuard ? [CLUSTER] : []
    return secret({ id, make, guard, isShownOnce: isShownOnce ?? false, provided: spec.secrets[id] })
  }),
  ...OPTIONAL_SECRET_IDS.flatMap((id) => {
    const provided = spec.secrets[id]
    return provided === undefined ? [] : [secret({ id, provided })]
  }),
]
