/** What of a host's secrets a backup set has, sealed to the recovery key. */
import {
  credentialId,
  EARLIER_VAULT_KEYS_ID,
  nextCredentialId,
  OVERLAPPING_SECRET_NAMES,
} from '../../contract/secret.ts'
import { INGRESS_SECRET_IDS } from './ingress-secret.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from './secret-id.ts'

/**
 * All that a host may have, next values too while they are rotated and earlier vault keys, but addresses of a storage that somebody else runs: such a host has no backups.
 */
export const BACKUP_SECRET_IDS = [
  ...GENERATED_SECRET_IDS,
  EARLIER_VAULT_KEYS_ID,
  ...OPTIONAL_SECRET_IDS,
  ...INGRESS_SECRET_IDS,
  ...OVERLAPPING_SECRET_NAMES.map((name) => nextCredentialId(credentialId(name))),
]
