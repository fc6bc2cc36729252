/** What of a host's secrets a backup set has, sealed to the recovery key. */
import { INGRESS_SECRET_IDS } from './ingress-secret.ts'
import { GENERATED_SECRET_IDS, OPTIONAL_SECRET_IDS } from './secret-id.ts'

/** All that a host may have, but addresses of a storage that somebody else runs: such a host has no backups. */
export const BACKUP_SECRET_IDS = [...GENERATED_SECRET_IDS, ...OPTIONAL_SECRET_IDS, ...INGRESS_SECRET_IDS]
