/** Opens the store that copies of backups go to. */
import type { StoreSecrets, StoreSettings } from '../../contract/backup-store.ts'
import { openS3Store } from '../adapters/s3-store.ts'
import { openSftpStore } from '../adapters/sftp-store.ts'
import type { BackupStore } from '../copies/store.ts'

/** Opens it by its settings; nothing is asked of it yet. */
export function openStore(settings: StoreSettings, secrets: StoreSecrets): BackupStore {
  return settings.kind === 's3' ? openS3Store(settings, secrets) : openSftpStore(settings, secrets)
}
